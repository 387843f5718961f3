"""XEP-0444: Message Reactions. A stanza says all reactions of its sender; an event says one that came or went."""

import msgspec

from hongyan.core.acts import Act, React, Unreact
from hongyan.core.errors import Invalid
from hongyan.core.model import Event
from hongyan.core.text import emoji
from hongyan.gateways.xmpp import acting, saying
from hongyan.gateways.xmpp.codec import Element, escape, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import Reader
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.telling import tell
from hongyan.messaging import About

NS = "urn:xmpp:reactions:0"
_MOST = 20


class _Seq(msgspec.Struct):
    seq: int = 0


_seq = msgspec.json.Decoder(_Seq).decode


def register(table: Table) -> None:
    table.messages[f"{NS} reactions"] = _react
    for type in ("react", "unreact"):
        table.events["direct", type] = table.events["room", type] = tell
        table.forms[type] = _form
    table.feature(NS, where="account")


async def _react(resource: Resource, stanza: Element, reactions: Element, to: Jid) -> None:
    wanted = list(dict.fromkeys(_emoji(one.text) for one in reactions.all(f"{NS} reaction")))
    if len(wanted) > _MOST:
        raise StanzaFault("not-acceptable", f"One person may react to a message in {_MOST} ways")
    lane = await acting.conversation(resource, to)
    event = await saying.found(resource, to, lane, reactions.get("id"))
    page = await resource.house.messaging.history.message(resource.caller, lane, event.seq)
    tallies = page.amended[0].reactions if page.amended else {}
    had = [one for one, tally in tallies.items() if tally.mine]
    acts: list[Act] = [Unreact(event.seq, one) for one in had if one not in wanted]
    acts += [React(event.seq, one) for one in wanted if one not in had]
    await acting.act(resource, stanza, lane, *acts)


def _emoji(text: str) -> str:
    try:
        return emoji(text.strip())
    except Invalid as error:
        raise StanzaFault("not-acceptable", error.detail) from None


def _form(event: Event, reader: Reader, about: About) -> str:
    """All that the sender reacts with now: told again, it is the same."""
    seq = _seq(event.content).seq
    target = about.targets.get((event.lane, seq))
    if target is None or event.sender is None:
        return ""
    each = "".join(f"<reaction>{escape(one)}</reaction>" for one in about.chosen.get((event.lane, seq, event.sender), ()))
    return f"<reactions xmlns='{NS}' id='{quote(reader.name(target))}'>{each}</reactions><store xmlns='urn:xmpp:hints'/>"
