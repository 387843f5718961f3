"""Who is on which node: what every node has told, put together. The routes of presence and signals.

Each node numbers what it tells. Who has missed a number hears of it by the node's next beat and asks for the whole list. When
a node is gone so are its people, unless they are on another.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from hongyan.bus import Beat, Bus, Device, NodePresence, Roster, Signal, TellMe
from hongyan.core.model import Status
from hongyan.core.own import StatusText
from hongyan.messaging.describing import MEMBERS_LISTED
from hongyan.messaging.tables import conversations, members
from hongyan.store import Store

log = logging.getLogger("hongyan.nodes")

ORDER: tuple[Status, ...] = ("dnd", "busy", "online", "away")
"""With several devices the first of these that one of them says."""
_PART = 500
_PART_BYTES = 400_000
_MOST_DEVICES = 50
"""Of one user on one node that are told of."""
_ASK_SECONDS = 1.5
_MOST_LANES = 2_000


class Summary(msgspec.Struct, frozen=True):
    """Somebody, on all nodes together."""

    status: Status
    text: str | None
    devices: tuple[Device, ...]
    status_text: StatusText | None = None


class _Table:
    """What one node has told."""

    __slots__ = ("asked", "changes", "parts", "people")

    def __init__(self) -> None:
        self.changes = -1
        """-1: never heard it whole."""
        self.people: dict[str, NodePresence] = {}
        self.parts: list[Roster] = []
        self.asked = 0.0


class Attendance:
    """`deliver` hands a signal to the sessions of this node."""

    def __init__(
        self, store: Store, bus: Bus, node: str, deliver: Callable[[Signal], None], *, ticks: Callable[[], float]
    ) -> None:
        self._store = store
        self._bus = bus
        self._node = node
        self._deliver = deliver
        self._ticks = ticks
        self._own = _Table()
        self._own.changes = 0
        self._tables: dict[str, _Table] = {node: self._own}
        self._by_user: dict[str, dict[str, NodePresence]] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._watch: Callable[[str], None] = lambda user: None
        bus.listen(NodePresence, self._on_presence)
        bus.listen(TellMe, self._on_tell_me)
        bus.listen(Roster, self._on_roster)

    @property
    def changes(self) -> int:
        """What this node has told so far."""
        return self._own.changes

    def __len__(self) -> int:
        """Users who are there, on whatever node."""
        return len(self._by_user)

    def users(self) -> list[str]:
        return list(self._by_user)

    def nodes_of(self, user: str) -> list[str]:
        """The route: ids of the nodes that hold sessions of this user."""
        return list(self._by_user.get(user, ()))

    def devices_of(self, user: str) -> list[Device]:
        """Those that are connected, on whatever node."""
        return [device for told in self._by_user.get(user, {}).values() for device in told.devices]

    def awake_of(self, user: str) -> list[Device]:
        """Those of them that answer."""
        told = self._by_user.get(user, {}).values()
        return [device for one in told for device in one.devices if device.token_id not in one.asleep]

    def summary_of(self, user: str) -> Summary | None:
        """Somebody on all nodes together; None when they are on none."""
        return summary(self._by_user.get(user, {}).values())

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with everybody of whom something else is known than before: signals do not go to whom they are about."""
        self._watch = changed

    def elsewhere(self, user: str) -> list[NodePresence]:
        """What the other nodes have told of them."""
        return [told for node, told in self._by_user.get(user, {}).items() if node != self._node]

    def tell(
        self,
        user: str,
        status: Status,
        text: str | None,
        devices: tuple[Device, ...],
        lanes: tuple[str, ...],
        status_text: StatusText | None = None,
        asleep: tuple[str, ...] = (),
    ) -> None:
        """What is true of this node's own sessions from now on. Nothing is told twice."""
        devices = devices[:_MOST_DEVICES]
        known = self._own.people.get(user)
        number, lanes = self._own.changes + 1, lanes[:_MOST_LANES]
        told = NodePresence(self._node, number, user, status, text, devices, lanes, status_text, asleep)
        before = known or NodePresence(self._node, 0, user, "online", None, (), ())
        if msgspec.structs.replace(told, number=before.number, lanes=()) != before and (known is not None or devices):
            self._bus.publish(told)

    def stop(self) -> None:
        for task in self._telling:
            task.cancel()

    def on_beat(self, beat: Beat) -> None:
        table = self._tables.setdefault(beat.node.id, _Table())
        if table.changes < beat.changes:
            self._ask(beat.node.id, table)

    def lost(self, node: str) -> None:
        """The node is gone."""
        table = self._tables.pop(node, None)
        if table is None:
            return
        for user in table.people:
            self._drop(node, user)
        if table.people:
            self._later(self._tell_lost(list(table.people)))

    def sweep(self, there: Container[str]) -> None:
        """Forget nodes that are not there: what they had told may have come after the news that they are gone."""
        for node in [node for node in self._tables if node != self._node and node not in there]:
            self.lost(node)

    def _ask(self, node: str, table: _Table) -> None:
        now = self._ticks()
        if now - table.asked >= _ASK_SECONDS:
            table.asked = now
            self._bus.publish(TellMe(self._node), to=node)

    def _on_presence(self, told: NodePresence) -> None:
        table = self._tables.setdefault(told.node, _Table())
        if told.number != table.changes + 1:
            if told.number > table.changes:
                self._ask(told.node, table)
            return
        table.changes = told.number
        before = summary(self._by_user.get(told.user, {}).values())
        self._put(table, told)
        self._news(told.user, before, told.lanes)

    def _on_tell_me(self, asked: TellMe) -> None:
        people = list(self._own.people.values())
        parts = _parts(people)
        for number, part in enumerate(parts):
            self._bus.publish(Roster(self._node, self._own.changes, part, number, len(parts)), to=asked.node)

    def _on_roster(self, roster: Roster) -> None:
        table = self._tables.setdefault(roster.node, _Table())
        if roster.part == 0:
            table.parts = []
        if roster.part != len(table.parts) or (table.parts and table.parts[0].changes != roster.changes):
            return
        table.parts.append(roster)
        if len(table.parts) < roster.parts:
            return
        parts, table.parts = table.parts, []
        if roster.changes < table.changes:
            return
        told = {one.user: one for part in parts for one in part.people}
        affected = table.people.keys() | told.keys()
        before = {user: summary(self._by_user.get(user, {}).values()) for user in affected}
        for user in table.people.keys() - told.keys():
            self._drop(roster.node, user)
        table.people.clear()
        table.changes = roster.changes
        for one in told.values():
            self._put(table, one)
        news = [user for user in affected if summary(self._by_user.get(user, {}).values()) != before[user]]
        if news:
            self._later(self._tell_lost(news))

    def _put(self, table: _Table, told: NodePresence) -> None:
        if told.devices:
            told = msgspec.structs.replace(told, lanes=())
            table.people[told.user] = told
            self._by_user.setdefault(told.user, {})[told.node] = told
        else:
            table.people.pop(told.user, None)
            self._drop(told.node, told.user)

    def _drop(self, node: str, user: str) -> None:
        nodes = self._by_user.get(user)
        if nodes is not None:
            nodes.pop(node, None)
            if not nodes:
                del self._by_user[user]

    def _news(self, user: str, before: Summary | None, lanes: tuple[str, ...]) -> None:
        now = summary(self._by_user.get(user, {}).values())
        if now != before:
            self._watch(user)
        if now != before and lanes:
            self._deliver(Signal("presence", user, lanes, body(user, now)))

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_lost(self, users: Sequence[str]) -> None:
        """Tell of people of whom no lanes came along: those are asked of the store."""
        for user in users:
            self._watch(user)
        for at in range(0, len(users), _PART):
            some = users[at : at + _PART]
            try:
                lanes = await self._store.read(lambda connection, some=some: _small_lanes(connection, some))  # type: ignore[misc]
            except Exception as error:
                log.warning("who is there no more could not be told: %s", error)
                return
            for user, ids in lanes.items():
                self._deliver(Signal("presence", user, tuple(ids), body(user, summary(self._by_user.get(user, {}).values()))))


def _parts(people: Sequence[NodePresence]) -> list[tuple[NodePresence, ...]]:
    """Pieces that fit into a message each; one at least."""
    parts: list[list[NodePresence]] = [[]]
    room = _PART_BYTES
    for one in people:
        size = 300 + sum(400 + len(device.detail) for device in one.devices)
        if parts[-1] and size > room:
            parts.append([])
            room = _PART_BYTES
        parts[-1].append(one)
        room -= size
    return [tuple(part) for part in parts]


def summary(told: Any) -> Summary | None:
    """What several nodes tell of somebody, as one; None: they are on none."""
    all_told = sorted(told, key=lambda one: one.node)
    if not all_told:
        return None
    best = min(all_told, key=lambda one: (ORDER.index(one.status), one.text is None))
    said = next((one.status_text for one in all_told if one.status_text is not None), None)
    return Summary(best.status, best.text, tuple(device for one in all_told for device in one.devices), said)


def body(user: str, summed: Summary | None) -> dict[str, Any]:
    """The map for readers."""
    return {
        "type": "presence",
        "user": user,
        "status": "offline" if summed is None else summed.status,
        "text": None if summed is None else summed.text,
        "status_text": None if summed is None or summed.status_text is None else msgspec.to_builtins(summed.status_text),
        "devices": []
        if summed is None
        else [
            {"device": one.device, "transport": one.transport, "status": one.status, "since": one.since} for one in summed.devices
        ],
    }


def _small_lanes(connection: Connection, users: Sequence[str]) -> dict[str, list[str]]:
    """The small conversations of each."""
    rows = connection.execute(
        select(members.c.user, members.c.conversation)
        .join(conversations, conversations.c.id == members.c.conversation)
        .where(members.c.user.in_(users), conversations.c.member_count <= MEMBERS_LISTED)
    )
    found: dict[str, list[str]] = {}
    for user, conversation in rows:
        found.setdefault(user, []).append(conversation)
    return found
