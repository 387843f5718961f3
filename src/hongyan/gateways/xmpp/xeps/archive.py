"""XEP-0313: Message Archive Management, of an account (its conversations of two) and of a room. The archive is the log.

Ids are positions. What was done to a message is where it was done, as the stanza that tells of it: who asks for what came after
a place learns of it, and who reads on from the beginning ends with the same. Of what was taken back a tombstone is left
(XEP-0424).
"""

from collections.abc import Sequence

import msgspec

from hongyan.core.model import WRITTEN, Event
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.rsm import asked, told
from hongyan.gateways.xmpp.said import Reader, stanza_id
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.telling import moderated
from hongyan.gateways.xmpp.times import delay, read, written
from hongyan.messaging import About, Archived, Within

NS = "urn:xmpp:mam:2"
FORWARD = "urn:xmpp:forward:0"
FORMS = "jabber:x:data"
RETRACT = "urn:xmpp:message-retract:1"
_USUAL = 50
_MOST = 100
_FIELDS = ("with", "start", "end", "before-id", "after-id", "ids")


def register(table: Table) -> None:
    for where in ("account", "room"):
        table.iq(where, "set", f"{NS} query", _query)
        table.iq(where, "get", f"{NS} query", _form)
        table.iq(where, "get", f"{NS} metadata", _metadata)
        table.feature(NS, f"{NS}#extended", where=where)
    table.iq("account", "get", f"{NS} prefs", _prefs)
    table.iq("account", "set", f"{NS} prefs", _prefs)


class _Asked(msgspec.Struct, frozen=True):
    within: Within
    limit: int
    backward: bool
    ids: tuple[int, ...]
    other: Jid | None


async def _query(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    house = resource.house
    resource.archive_asked = resource.archive_asked or to.domain == house.domain
    wanted = _read(query)
    scope = await _scope(resource, to, wanted.other)
    if scope == "":
        page = Archived([], False, About())
    elif wanted.ids:
        page = await house.messaging.archive.these(resource.caller, scope, wanted.ids)
    else:
        page = await house.messaging.archive.page(resource.caller, scope, wanted.within, wanted.limit, backward=wanted.backward)
    await house.xmpp.places.learn([event.lane for event in page.events])
    flip = query.child(f"{NS} flip-page") is not None
    for event in reversed(page.events) if flip else page.events:
        await resource.may_take()
        _give(resource, query, to, event, page.about)
    ends = [str(event.position) for event in page.events]
    complete = " complete='true'" if not page.more and (wanted.limit or wanted.ids) else ""
    return f"<fin xmlns='{NS}'{complete}>{told(ends[0], ends[-1]) if ends else told(None, None)}</fin>"


async def _scope(resource: Resource, to: Jid, other: Jid | None) -> str | None:
    """The conversation that is asked for; None for all of two; empty for none."""
    house = resource.house
    if to.domain == house.rooms_domain:
        if to.resource:
            raise StanzaFault("item-not-found")
        if other is not None:
            raise StanzaFault("feature-not-implemented", "The archive of a room is asked for everybody's messages")
        return (await house.xmpp.directory.look(resource.user, to.local)).place.id
    if other is None:
        return None
    return await house.xmpp.places.between(resource.user, house.user(other)) or ""


def _read(query: Element) -> _Asked:
    """Raises StanzaFault."""
    fields = _fields(query)
    page = asked(query, _USUAL, _MOST)
    before, after = _place(fields, "before-id"), _place(fields, "after-id")
    low, high = [one for one in (after,) if one is not None], [one for one in (before,) if one is not None]
    if page.before:
        high.append(_number(page.before))
    if page.after:
        low.append(_number(page.after))
    ids = tuple(_number(one) for one in fields.get("ids", ()))
    if len(ids) > _MOST:
        raise StanzaFault("not-acceptable", f"Ask for at most {_MOST} ids")
    within = Within(
        max(low, default=0), min(high, default=None), _time(fields, "start"), _time(fields, "end"), known=(*low, *high)
    )
    return _Asked(within, page.limit, page.before is not None, ids, _with(fields))


def _fields(query: Element) -> dict[str, list[str]]:
    form = query.child(f"{FORMS} x")
    if form is None:
        return {}
    found: dict[str, list[str]] = {}
    for field in form.all(f"{FORMS} field"):
        found[field.get("var")] = [value.text for value in field.all(f"{FORMS} value")]
    if found.pop("FORM_TYPE", None) != [NS] or form.get("type") != "submit":
        raise StanzaFault("bad-request", f"The form is a submitted one of {NS}")
    if unknown := sorted(set(found) - set(_FIELDS)):
        raise StanzaFault("feature-not-implemented", f"There is no field {unknown[0]}")
    return found


def _one(fields: dict[str, list[str]], name: str) -> str | None:
    values = fields.get(name, [])
    if len(values) > 1:
        raise StanzaFault("bad-request", f"{name} has one value")
    return values[0] if values and values[0] else None


def _place(fields: dict[str, list[str]], name: str) -> int | None:
    value = _one(fields, name)
    return _number(value) if value is not None else None


def _number(id: str) -> int:
    if not (id.isascii() and id.isdecimal() and len(id) <= 15):
        raise StanzaFault("item-not-found", "There is nothing with this id in the archive")
    return int(id)


def _time(fields: dict[str, list[str]], name: str) -> int | None:
    value = _one(fields, name)
    try:
        return read(value) if value is not None else None
    except (ValueError, OverflowError):
        raise StanzaFault("bad-request", f"{name} is a date and time (XEP-0082)") from None


def _with(fields: dict[str, list[str]]) -> Jid | None:
    value = _one(fields, "with")
    return jid.address(value) if value is not None else None


def _give(resource: Resource, query: Element, to: Jid, event: Event, about: About) -> None:
    """One result, to who has asked and to nobody else. An event that tells nothing any more is an empty message: clients look for
    those that a page begins and ends with.
    """
    house = resource.house
    place = house.xmpp.places.get(event.lane)
    if place is None:
        return
    reader = Reader(house.domain, house.rooms_domain, place)
    inside = _inside(resource, event, reader, about)
    me, peer = resource.jid.bare, place.peer(resource.user)
    if peer is not None:
        mine, theirs = house.quoted(resource.user), house.quoted(peer)
        sender, receiver = (mine, theirs) if event.sender == resource.user else (theirs, mine)
        head = f"from='{sender}' to='{receiver}' type='chat'"
    else:
        speaker = to if moderated(event, about) or event.sender is None else reader.address(event.sender, about)
        head = f"from='{quote(str(speaker))}' type='groupchat'"
    by = str(me) if peer is not None else str(to)
    asked = f" queryid='{quote(query.get('queryid'))}'" if "queryid" in query.attributes else ""
    id = quote(shown_id(event.client_id, event.seq))
    resource.send(
        f"<message to='{resource.quoted}' from='{quote(by)}'><result xmlns='{NS}'{asked} id='{event.position}'>"
        f"<forwarded xmlns='{FORWARD}'>{delay(event.time, by)}<message xmlns='jabber:client' {head} "
        f"id='{id}'>{inside}{stanza_id(by, event)}</message></forwarded></result></message>"
    )


def _inside(resource: Resource, event: Event, reader: Reader, about: About) -> str:
    state = about.states.get((event.lane, event.seq))
    if event.type in WRITTEN and state is not None and state.recalled is not None:
        return f"<retracted xmlns='{RETRACT}' stamp='{written(state.recalled.time)}'/>"
    form = resource.house.table.forms.get(event.type)
    return form(event, reader, about) if form is not None else ""


async def _metadata(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    archive = resource.house.messaging.archive
    scope = await _scope(resource, to, None)
    oldest = await archive.page(resource.caller, scope, Within(), 1, backward=False)
    newest = await archive.page(resource.caller, scope, Within(), 1, backward=True)
    return f"<metadata xmlns='{NS}'>{_end('start', oldest.events)}{_end('end', newest.events)}</metadata>"


def _end(name: str, events: Sequence[Event]) -> str:
    return "".join(f"<{name} id='{event.position}' timestamp='{written(event.time)}'/>" for event in events)


def _form(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    types = {"with": "jid-single", "ids": "list-multi"}
    any_id = "<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate>"
    fields = "".join(
        f"<field type='{types.get(name, 'text-single')}' var='{name}'>{any_id if name == 'ids' else ''}</field>"
        for name in _FIELDS
    )
    kind = f"<field type='hidden' var='FORM_TYPE'><value>{NS}</value></field>"
    return f"<query xmlns='{NS}'><x xmlns='{FORMS}' type='form'>{kind}{fields}</x></query>"


def _prefs(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    """Everything is in the archive, whatever is asked for."""
    return f"<prefs xmlns='{NS}' default='always'><always/><never/></prefs>"
