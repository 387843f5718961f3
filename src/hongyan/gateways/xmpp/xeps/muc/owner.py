"""The settings of a room, and its end (XEP-0045, sections 10.1, 10.2, 10.9): title, topic, who may write; and, only when it is
made, whether everybody may find and join it. A room that is destroyed is archived: nothing is lost.
"""

from hongyan.core import policy
from hongyan.core.model import Writers
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rooms import MUC, gone, joined_at
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps.muc import making
from hongyan.gateways.xmpp.xeps.muc.finding import inside
from hongyan.gateways.xmpp.xeps.muc.forms import DATA, form, submitted, truth

NS = f"{MUC}#owner"
_CONFIG = f"{MUC}#roomconfig"
_TITLE, _TOPIC = "muc#roomconfig_roomname", "muc#roomconfig_roomdesc"
_MODERATED, _MEMBERS = "muc#roomconfig_moderatedroom", "muc#roomconfig_membersonly"


def register(table: Table) -> None:
    table.iq("room", "get", f"{NS} query", _settings)
    table.iq("room", "set", f"{NS} query", _set)


async def _settings(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    if making.is_new(resource, to):
        return _form(to.local, "", "all", member_only=True)
    room = await inside(resource, to)
    policy.change_settings(room.place.kind, room.role)
    return _form(room.place.title or "", room.place.topic or "", room.writers, member_only=room.place.kind != "channel")


def _form(title: str, topic: str, writers: Writers, *, member_only: bool) -> str:
    fields = [
        (_TITLE, "text-single", "Title", title),
        (_TOPIC, "text-single", "Topic", topic),
        (_MODERATED, "boolean", "Only the owner and admins write", "0" if writers == "all" else "1"),
        (_MEMBERS, "boolean", "Only who is brought in (cannot be changed later)", "1" if member_only else "0"),
    ]
    return f"<query xmlns='{NS}'>{form('form', _CONFIG, fields, 'Settings of this room')}</query>"


async def _set(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    if query.child(f"{NS} destroy") is not None:
        await _destroy(resource, to)
        return ""
    x = query.child(f"{DATA} x")
    if x is None or x.get("type") not in ("submit", "cancel"):
        raise StanzaFault("bad-request", "Send the form")
    if x.get("type") == "cancel":
        making.cancel(resource, to)
        return ""
    values = submitted(x, _CONFIG)
    if making.is_new(resource, to):
        await making.finish(
            resource,
            to,
            title=values.get(_TITLE, ""),
            topic=_topic(values),
            channel=not truth(values.get(_MEMBERS, "1")),
            writers="admins" if truth(values.get(_MODERATED, "0")) else "all",
        )
        return ""
    room = await inside(resource, to)
    policy.change_settings(room.place.kind, room.role)
    if _MEMBERS in values and truth(values[_MEMBERS]) != (room.place.kind != "channel"):
        raise StanzaFault("not-acceptable", "A group stays a group, and a channel a channel")
    writers: Writers | None = None
    if _MODERATED in values and truth(values[_MODERATED]) != (room.writers != "all"):
        writers = "admins" if room.writers == "all" else "all"
    title, topic = values.get(_TITLE), _topic(values)
    if title is not None or topic is not None or writers is not None:
        change = resource.house.messaging.conversations.change
        await change(resource.caller, room.place.id, title, topic=topic, writers=writers)
    return ""


def _topic(values: dict[str, str]) -> str | None:
    said = values.get(_TOPIC)
    return None if said is None else " ".join(said.split())


async def _destroy(resource: Resource, to: Jid) -> None:
    if making.is_new(resource, to):
        making.cancel(resource, to)
        return
    room = await inside(resource, to)
    await resource.house.messaging.conversations.change(resource.caller, room.place.id, writers="nobody")
    joined = joined_at(resource, to)
    if joined is not None:
        gone(resource, joined, resource.user, role=None, inside="<destroy/>")
        del resource.rooms[joined.id]
