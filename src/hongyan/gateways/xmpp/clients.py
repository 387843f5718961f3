"""What clients say to each other and nobody keeps, on whatever nodes they are.

A query has one answer, so it goes to one node: the one that shows its client. That client answers, or its node does. The node
that is asked remembers where the query came from, since who asks need not be known to others: they may not be available.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, error_of, quote, render
from hongyan.gateways.xmpp.faults import StanzaFault, nothing
from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource

_GATEWAY = "xmpp"
_ASKED = 20_000
_LONGEST_ID = 256
"""Of a query; one that is longer finds its way back only to a client that is available."""


class _Passed(msgspec.Struct):
    """From one node to another."""

    resource: str
    stanza: str
    sender: str
    known: bool = False
    """Only to clients that have let the sender know of them."""
    urgent: bool = False
    """Who may sleep is woken for it."""
    answer: bool = False
    """To a client that has asked, whether it is available or not."""
    asks: str | None = None
    """The id of a query."""
    node: str = ""
    """Where that was asked."""


class Clients:
    def __init__(self, house: "House") -> None:
        self._house = house
        self._passing = house.messaging.passing
        self._asked: OrderedDict[tuple[Jid, str, Jid], str] = OrderedDict()
        """Who has asked whom with which id, and at which node: nobody else answers."""
        self._passing.listen(_GATEWAY, self._passed)

    def tell(
        self,
        to: Jid,
        stanza: str,
        sender: Jid,
        *,
        besides: "Resource | None" = None,
        known: bool = False,
        urgent: bool = False,
    ) -> bool:
        """To the available clients of somebody of ours, or to the one that is named; whether one takes it, or may on another
        node. With `known` only to those that have let the sender know of them.
        """
        passed = _Passed(to.resource, stanza, str(sender), known, urgent)
        here = self._hand_over(to.local, passed, sender, besides)
        if here and to.resource:
            return True
        return self._passing.elsewhere(_GATEWAY, to.local, _encoded(passed)) or here

    def ask(self, to: Jid, query: Element, sender: Jid, *, known: bool = False) -> None:
        """One client, which is named. Raises StanzaFault when there is none that takes it."""
        node = self._house.messaging.node
        passed = _Passed(to.resource, render(query), str(sender), known, asks=query.get("id"), node=node)
        if to.resource in self._house.resources.get(to.local, {}):
            fault = self._put(to.local, passed, sender)
            if fault is not None:
                raise fault
        elif (other := self._node_of(to)) is not None:
            self._passing.at(other, _GATEWAY, _encoded(passed), to.local)
        else:
            raise StanzaFault("service-unavailable")

    def answer(self, to: Jid, answer: Element, sender: Jid) -> None:
        """To the client that has asked."""
        node = self._asked.pop((to, answer.get("id"), sender), None)
        passed = _Passed(to.resource, render(answer), str(sender), answer=True)
        if self._hand_over(to.local, passed, sender):
            return
        if node is not None:
            self._passing.at(node, _GATEWAY, _encoded(passed), to.local)
        else:
            self._passing.elsewhere(_GATEWAY, to.local, _encoded(passed))

    def _node_of(self, to: Jid) -> str | None:
        """The other node that shows this client; when two do it has moved, and the newer one has it."""
        found = [
            (device.since, told.node)
            for told in self._house.messaging.attendance.elsewhere(to.local)
            for device in told.devices
            if device.detail.partition("\n")[0] == to.resource
        ]
        return max(found)[1] if found else None

    def _hand_over(self, user: str, passed: _Passed, sender: Jid, besides: "Resource | None" = None) -> bool:
        found = False
        for resource in self._house.of(user):
            if resource is besides or passed.resource not in ("", resource.jid.resource) or not _may(resource, passed, sender):
                continue
            if resource.has_room:
                resource.send(passed.stanza)
                found = True
                if passed.urgent and self._house.waking is not None:  # also who seems to be there: a call cannot wait for silence
                    self._house.people.later(self._house.waking.call(user, resource.caller.device))
        return found

    def _put(self, user: str, passed: _Passed, sender: Jid) -> StanzaFault | None:
        """A query to its client here, or why it cannot have it."""
        target = self._house.resources.get(user, {}).get(passed.resource)
        if target is None or not _may(target, passed, sender):
            return StanzaFault("service-unavailable")
        if not target.has_room:
            return StanzaFault("resource-constraint", "This client takes nothing at this moment")
        target.send(passed.stanza)
        return None

    def _passed(self, user: str, body: str) -> None:
        """From another node."""
        passed = msgspec.json.decode(body, type=_Passed)
        sender = jid.parse(passed.sender)
        if passed.asks is None:
            self._hand_over(user, passed, sender)
            return
        fault = self._put(user, passed, sender)
        if fault is not None:
            self._refuse(user, passed, passed.asks, sender, fault)
        elif sender.domain == self._house.domain and len(passed.asks) <= _LONGEST_ID:
            while len(self._asked) >= _ASKED:
                self._asked.popitem(last=False)
            self._asked[sender, passed.asks, self._house.resources[user][passed.resource].jid] = passed.node

    def _refuse(self, user: str, passed: _Passed, id: str, sender: Jid, fault: StanzaFault) -> None:
        house, by = self._house, self._house.jid(user, passed.resource)
        head = f"<iq type='error' id='{quote(id)}' from='{quote(str(by))}' to='{quote(passed.sender)}'>"
        told = f"{head}{error_of(fault)}</iq>"
        if sender.domain == house.domain:
            back = _Passed(sender.resource, told, str(by), answer=True)
            self._passing.at(passed.node, _GATEWAY, _encoded(back), sender.local)
        elif house.federation is not None:
            house.federation.send(told, house.domain, sender.domain, nothing)


def _may(resource: "Resource", passed: _Passed, sender: Jid) -> bool:
    """Whether this client is given it at all."""
    if (resource.priority is None and not passed.answer) or resource.around.blocks(sender):
        return False
    return not passed.known or sender.bare in resource.directed


def _encoded(passed: _Passed) -> str:
    return msgspec.json.encode(passed).decode()
