"""Who is told of messages: members with a subscription whom `core.notifying` would tell, and who do not look anyway."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Subquery, and_, exists, or_, select, tuple_

from hongyan.bus import Device
from hongyan.core.content import in_brief
from hongyan.core.model import Event
from hongyan.core.notifying import Reader, Reason, Said, mentions, notifies
from hongyan.core.preferences import Preferences
from hongyan.features.push.model import Urgency
from hongyan.features.push.tables import push_subscriptions
from hongyan.messaging.tables import conversations, followers, members, users
from hongyan.messaging.tables_own import arrangements, preferences

_SOON = ("mention", "direct")
_PAGE = 1_000
"""Subscriptions that are looked at together."""

Place = tuple[str, str, str]
"""Conversation, user, id of the subscription."""
FIRST: Place = ("", "", "")

Present = Callable[[str], Sequence[Device]]
"""The devices of a user that are connected and answer, on whatever node."""


class _Content(msgspec.Struct, frozen=True):
    mentions: tuple[str, ...] = ()
    thread: int | None = None


class _Room(msgspec.Struct, frozen=True):
    kind: str
    title: str | None


_content = msgspec.json.Decoder(_Content).decode
_preferences = msgspec.json.Decoder(Preferences).decode


class Known(msgspec.Struct, frozen=True):
    """What the store says of some messages."""

    rooms: dict[str, _Room]
    names: dict[str, str]


class Page(msgspec.Struct, frozen=True):
    """Some of the subscriptions of members of some conversations, by conversation, user and id."""

    rows: list[Any]
    pages: dict[str, set[str]]
    """By user: the tokens with which pages show notifications themselves, if one is open."""
    following: set[tuple[str, str, int]]
    """User, conversation, first message of a thread."""
    after: Place | None
    """Where the next page begins; None: there is none."""


def heard(connection: Connection, subscribed: Sequence[Subquery], lanes: Sequence[str]) -> set[str]:
    """Those of these conversations in which somebody has one of these subscriptions."""
    c, m = conversations.c, members.c
    somebody = [exists().select_from(members.join(s, s.c.user == m.user)).where(m.conversation == c.id) for s in subscribed]
    return set(connection.execute(select(c.id).where(c.id.in_(lanes), or_(*somebody))).scalars())


def having(connection: Connection, subscribed: Subquery, devices: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of these devices, each a user and a name, that have one of these subscriptions."""
    s = subscribed.c
    wanted = select(s.user, s.device).where(tuple_(s.user, s.device).in_(devices)).distinct()
    return [(user, device) for user, device in connection.execute(wanted)]


def inside(connection: Connection, user: str, lanes: Sequence[str]) -> set[str]:
    """Those of these conversations that a user is in."""
    m = members.c
    return set(connection.execute(select(m.conversation).where(m.user == user, m.conversation.in_(lanes))).scalars())


def known(connection: Connection, events: Sequence[Event]) -> Known:
    c = conversations.c
    of_rooms = select(c.id, c.kind, c.title).where(c.id.in_({event.lane for event in events}))
    rooms = {id: _Room(kind, title) for id, kind, title in connection.execute(of_rooms)}
    senders = {event.sender for event in events if event.sender is not None}
    names = {id: name for id, name in connection.execute(select(users.c.id, users.c.name).where(users.c.id.in_(senders)))}
    return Known(rooms, names)


def page(
    connection: Connection, telling: "Telling", subscribed: Subquery, after: Place, only: tuple[str, str] | None = None
) -> Page:
    """`only` is a user and a device of theirs: no other is asked for."""
    s, m, a, f, p = subscribed.c, members.c, arrangements.c, followers.c, push_subscriptions.c
    source = (
        subscribed.join(members, m.user == s.user)
        .outerjoin(arrangements, and_(a.user == m.user, a.conversation == m.conversation))
        .outerjoin(preferences, preferences.c.user == m.user)
    )
    place = (m.conversation, s.user, s.id)
    more = [column for column in s if column.name not in ("user", "id")]
    columns = (m.role, m.first_seq, m.read_seq, a.level, a.muted_until, preferences.c.content)
    statement = (
        select(*place, *more, *columns)
        .select_from(source)
        .where(m.conversation.in_(telling.lanes), tuple_(*place) > after)
        .order_by(*place)
        .limit(_PAGE)
    )
    if only is not None:
        statement = statement.where(s.user == only[0], s.device == only[1])
    rows = list(connection.execute(statement))
    people = {row.user for row in rows}
    pages: dict[str, set[str]] = {}
    for user, token in connection.execute(select(p.user, p.token).where(p.user.in_(people))):
        pages.setdefault(user, set()).add(token)
    following: set[tuple[str, str, int]] = set()
    if threads := telling.threads({row.conversation for row in rows}):
        wanted = select(f.user, f.conversation, f.seq).where(f.user.in_(people), f.read_seq >= 0)
        wanted = wanted.where(tuple_(f.conversation, f.seq).in_(threads))
        following = {(user, lane, seq) for user, lane, seq in connection.execute(wanted)}
    last = rows[-1] if len(rows) == _PAGE else None
    return Page(rows, pages, following, last and (last.conversation, last.user, last.id))


Devices = Mapping[str, Sequence[Device]]
"""Of each user those that are connected."""


class _Words(msgspec.Struct, frozen=True):
    """A message, read once for all."""

    event: Event
    said: Said
    words: str
    thread: int | None


class Told(msgspec.Struct):
    """A message of which somebody is told."""

    event: Event
    kind: str
    """Of the conversation."""
    title: str
    name: str
    """Of the sender."""
    words: str
    thread: int | None
    why: Reason
    made: bytes = b""
    """What is sent, made once for all."""

    @property
    def urgency(self) -> Urgency:
        return "high" if self.why in _SOON else "normal"


class Telling:
    """Some messages, and who is told of them."""

    def __init__(self, events: Sequence[Event], known: Known) -> None:
        self._known = known
        self._told: dict[tuple[int, Reason], Told] = {}
        self._words: dict[str, list[_Words]] = {}
        """By conversation, newest first."""
        for event in reversed(events):
            text = in_brief(event.content)
            if event.lane in known.rooms and (words := " ".join(text.split())):
                content = _content(event.content)
                read = _Words(event, Said(event.sender, text, content.mentions), words, content.thread)
                self._words.setdefault(event.lane, []).append(read)

    @property
    def lanes(self) -> list[str]:
        return list(self._words)

    def threads(self, lanes: set[str]) -> list[tuple[str, int]]:
        found = {(lane, one.thread) for lane in lanes for one in self._words[lane] if one.thread is not None}
        return list(found)

    def decide(
        self, page: Page, devices: Devices, now: int, reached: Callable[[Any, Sequence[Device]], bool]
    ) -> list[tuple[Any, Told]]:
        """One message at most for each row, of a conversation the newest that is told of; oldest first. `reached`: see `Way`."""
        looking = {user for user, tokens in page.pages.items() if _looks(tokens, devices[user])}
        wanted = [row for row in page.rows if row.user not in looking and not reached(row, devices[row.user])]
        found = [(row, told) for row in wanted if (told := self._of(row, page, now)) is not None]
        return sorted(found, key=lambda one: one[1].event.position)

    def _of(self, row: Any, page: Page, now: int) -> Told | None:
        room = self._known.rooms[row.conversation]
        wishes = _preferences(row.content) if row.content is not None else Preferences()
        reader = Reader(row.user, row.role, row.level or "all", row.muted_until, wishes)
        for one in self._words[row.conversation]:
            event, thread = one.event, one.thread
            if row.first_seq > event.seq or (row.read_seq >= event.seq and thread is None):
                continue
            if thread is not None and not (
                (row.user, event.lane, thread) in page.following or mentions(one.said.mentions, row.user, row.role)
            ):
                continue
            decision = notifies(one.said, room.kind, reader, now)
            if decision.notify:
                return self._once(one, room, decision.why)
        return None

    def _once(self, one: _Words, room: _Room, why: Reason) -> Told:
        key = (one.event.position, why)
        if key not in self._told:
            name = self._known.names.get(one.event.sender or "", one.event.sender or "")
            self._told[key] = Told(one.event, room.kind, room.title or "", name, one.words, one.thread, why)
        return self._told[key]


def _looks(tokens: set[str], devices: Sequence[Device]) -> bool:
    """A page that shows notifications itself is open, and somebody is there: it has not said `away`."""
    return any(device.token_id in tokens and device.status != "away" for device in devices)
