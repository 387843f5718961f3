"""The roster (RFC 6121, section 2): everybody with whom one has a direct conversation, and what clients have added to that."""

from hongyan.features.xmpp import Circle, Contact, Subscription, is_remote
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, escape, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import BadJid, Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "jabber:iq:roster"
_NAME = 200
_GROUP = 100
_GROUPS = 20


def register(table: Table) -> None:
    table.iq("account", "get", f"{NS} query", _get)
    table.iq("account", "set", f"{NS} query", _set)
    table.circles.append(_changed)
    table.stream_features.append(lambda house: "<ver xmlns='urn:xmpp:features:rosterver'/>")


async def _get(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    circle = await resource.house.people.refresh(resource)
    resource.around.interested = True
    resource.around.roster = dict(circle.contacts)
    if query.get("ver") == circle.version:
        return ""
    items = "".join([_item(contact) for contact in circle.contacts.values()])
    return f"<query xmlns='{NS}' ver='{circle.version}'>{items}</query>"


async def _set(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    items = query.all(f"{NS} item")
    if len(items) != 1:
        raise StanzaFault("bad-request", "One item at a time")
    item, house = items[0], resource.house
    try:
        who = str(jid.parse(item.get("jid")).bare)
    except BadJid as error:
        raise StanzaFault("bad-request", str(error)) from None
    if who == str(resource.jid.bare):
        raise StanzaFault("not-allowed", "You are not in your own roster")
    house.changes.spend(resource.user)
    circle = await house.people.refresh(resource)
    if item.get("subscription") == "remove":
        if who not in circle.contacts:
            raise StanzaFault("item-not-found")
        if house.federation is not None and circle.contacts[who].subscription is not None:
            await house.federation.subscribing.end(resource, jid.parse(who))
        await house.xmpp.circles.remove_entry(resource.caller, circle, who)
    else:
        groups = [group.text for group in item.all(f"{NS} group")]
        if len(set(groups)) != len(groups):
            raise StanzaFault("bad-request", "A group is named twice")
        _check(item.get("name"), groups)
        await house.xmpp.circles.set_entry(resource.caller, who, item.get("name"), groups)
    await house.people.refresh(resource)
    return ""


def _check(name: str, groups: list[str]) -> None:
    if len(name) > _NAME or len(groups) > _GROUPS or not all(0 < len(group) <= _GROUP for group in groups):
        raise StanzaFault(
            "not-acceptable", f"A name has {_NAME} characters, a group 1 to {_GROUP}, and there are {_GROUPS} of them"
        )
    if "\0" in name + "".join(groups):
        raise StanzaFault("bad-request")


def _changed(resource: Resource, before: Circle | None, now: Circle) -> None:
    """Pushes (section 2.1.6) of what is another than it was told."""
    if not resource.around.interested:
        return
    told = resource.around.roster
    for who in [who for who in told if who not in now.contacts]:
        del told[who]
        _push(resource, f"<item jid='{quote(who)}' subscription='remove'/>", now)
    for who, contact in now.contacts.items():
        if (known := told.get(who)) is None or _item(known) != _item(contact):
            _push(resource, _item(contact), now)
        told[who] = contact


def _push(resource: Resource, item: str, circle: Circle) -> None:
    resource.push(f"<query xmlns='{NS}' ver='{circle.version}'>{item}</query>")


def _item(contact: Contact) -> str:
    groups = "".join([f"<group>{escape(group)}</group>" for group in contact.groups])
    name = f" name='{quote(contact.name)}'" if contact.name else ""
    here = contact.user is not None and not is_remote(contact.user)
    state = " subscription='both'" if here else _state(contact.subscription)
    return f"<item jid='{quote(contact.jid)}'{name}{state}>{groups}</item>"


def _state(subscription: Subscription | None) -> str:
    """As attributes of an item in a roster (section 2.1.2)."""
    now = subscription or Subscription()
    state = "both" if now.sees and now.seen else "to" if now.sees else "from" if now.seen else "none"
    return f" subscription='{state}'" + (" ask='subscribe'" if now.asks else "")
