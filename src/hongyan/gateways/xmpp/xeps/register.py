"""XEP-0077, as far as it is there: change of one's own password. Accounts are made by administrators, and ended by them.

The old password is asked for (section 3.3), as everywhere: who has got hold of a session alone cannot take the account.
"""

from hongyan.core.errors import WrongPassword
from hongyan.gateways.xmpp.codec import Element, escape
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "jabber:iq:register"
DATA = "jabber:x:data"
_FORM = f"{NS}:changepassword"


def register(table: Table) -> None:
    for where in ("server", "account"):
        table.iq(where, "get", f"{NS} query", _state)
        table.iq(where, "set", f"{NS} query", _change)
    table.feature(NS)


def _state(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    field = "<field type='{}' var='{}'{}><required/></field>".format
    fields = (
        f"<field type='hidden' var='FORM_TYPE'><value>{_FORM}</value></field>"
        + field("text-single", "username", " label='Name'")
        + field("text-private", "old_password", " label='Old password'")
        + field("text-private", "password", " label='New password'")
    )
    form = f"<x xmlns='{DATA}' type='form'><title>Change your password</title>{fields}</x>"
    return f"<query xmlns='{NS}'><registered/><username>{escape(resource.user)}</username>{form}</query>"


async def _change(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    if query.child(f"{NS} remove") is not None:
        raise StanzaFault("not-allowed", "Accounts are ended by administrators")
    form = query.child(f"{DATA} x")
    said = {one.get("var"): one.said(f"{DATA} value") or "" for one in form.all(f"{DATA} field")} if form is not None else {}
    if said.get("FORM_TYPE") != _FORM:
        raise StanzaFault("not-acceptable", "A change of the password needs the old one: fill in the form that a query gets")
    if said.get("username", resource.user) != resource.user:
        raise StanzaFault("forbidden", "You may change your own password")
    if resource.stream is None or not resource.stream.secure:
        raise StanzaFault("not-allowed")
    try:
        await resource.house.identity.change_password(
            resource.caller, said.get("old_password", ""), said.get("password", ""), resource.stream.address
        )
    except WrongPassword:
        raise StanzaFault("not-authorized", "The old password is another one") from None
    return ""
