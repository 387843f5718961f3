"""Who is told of messages: members with a subscription whom `core.notifying` would tell, and who do not look anyway."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, exists, select, tuple_

from hongyan.bus import Device
from hongyan.core.content import in_words
from hongyan.core.model import Event
from hongyan.core.notifying import Reader, Reason, Said, mentions, notifies
from hongyan.core.preferences import Preferences
from hongyan.features.identity.tables import tokens
from hongyan.features.push.model import Message, Notice, Subscription, Urgency
from hongyan.features.push.tables import push_subscriptions
from hongyan.messaging.tables import conversations, followers, members, users
from hongyan.messaging.tables_own import arrangements, preferences

TEXT_LENGTH = 200
_TITLE_LENGTH = 100
_SOON = ("mention", "direct")
_PAGE = 1_000
"""Subscriptions that are looked at together."""

Place = tuple[str, str, str]
"""Conversation, user, token."""
FIRST: Place = ("", "", "")

Present = Callable[[str], Sequence[Device]]
"""The devices of a user that are connected, on whatever node."""


class _Content(msgspec.Struct, frozen=True):
    mentions: tuple[str, ...] = ()
    thread: int | None = None


class _Room(msgspec.Struct, frozen=True):
    kind: str
    title: str | None


_content = msgspec.json.Decoder(_Content).decode
_preferences = msgspec.json.Decoder(Preferences).decode
_encode = msgspec.json.Encoder().encode


class Known(msgspec.Struct, frozen=True):
    """What the store says of some messages."""

    rooms: dict[str, _Room]
    names: dict[str, str]


class Page(msgspec.Struct, frozen=True):
    """Some of the subscriptions of members of some conversations, by conversation, user and token."""

    rows: list[Any]
    subscribed: dict[str, set[str]]
    """By user: the tokens of all their subscriptions."""
    following: set[tuple[str, str, int]]
    """User, conversation, first message of a thread."""
    after: Place | None
    """Where the next page begins; None: there is none."""


def heard(connection: Connection, lanes: Sequence[str], now: int) -> set[str]:
    """Those of these conversations in which somebody has a subscription."""
    c, m = conversations.c, members.c
    joined = members.join(push_subscriptions, push_subscriptions.c.user == m.user).join(tokens)
    somebody = exists().select_from(joined).where(m.conversation == c.id, tokens.c.expires > now)
    return set(connection.execute(select(c.id).where(c.id.in_(lanes), somebody)).scalars())


def known(connection: Connection, events: Sequence[Event]) -> Known:
    c = conversations.c
    of_rooms = select(c.id, c.kind, c.title).where(c.id.in_({event.lane for event in events}))
    rooms = {id: _Room(kind, title) for id, kind, title in connection.execute(of_rooms)}
    senders = {event.sender for event in events if event.sender is not None}
    names = {id: name for id, name in connection.execute(select(users.c.id, users.c.name).where(users.c.id.in_(senders)))}
    return Known(rooms, names)


def page(connection: Connection, telling: "Telling", after: Place, now: int) -> Page:
    s, m, a, f = push_subscriptions.c, members.c, arrangements.c, followers.c
    joined = (
        push_subscriptions.join(tokens, tokens.c.id == s.token)
        .join(members, m.user == s.user)
        .outerjoin(arrangements, and_(a.user == m.user, a.conversation == m.conversation))
        .outerjoin(preferences, preferences.c.user == m.user)
    )
    place = (m.conversation, m.user, s.token)
    columns = (s.endpoint, s.public, s.auth, m.role, m.first_seq, m.read_seq, a.level, a.muted_until, preferences.c.content)
    statement = (
        select(*place, *columns)
        .select_from(joined)
        .where(m.conversation.in_(telling.lanes), tokens.c.expires > now, tuple_(*place) > after)
        .order_by(*place)
        .limit(_PAGE)
    )
    rows = list(connection.execute(statement))
    people = {row.user for row in rows}
    subscribed: dict[str, set[str]] = {}
    for user, token in connection.execute(select(s.user, s.token).where(s.user.in_(people))):
        subscribed.setdefault(user, set()).add(token)
    following: set[tuple[str, str, int]] = set()
    if threads := telling.threads({row.conversation for row in rows}):
        wanted = select(f.user, f.conversation, f.seq).where(f.user.in_(people), f.read_seq >= 0)
        wanted = wanted.where(tuple_(f.conversation, f.seq).in_(threads))
        following = {(user, lane, seq) for user, lane, seq in connection.execute(wanted)}
    last = rows[-1] if len(rows) == _PAGE else None
    return Page(rows, subscribed, following, last and (last.conversation, last.user, last.token))


Devices = Mapping[str, Sequence[Device]]
"""Of each user those that are connected."""


class _Words(msgspec.Struct, frozen=True):
    """A message, read once for all."""

    event: Event
    said: Said
    words: str
    thread: int | None


class Telling:
    """Some messages, and who is told of them. What is sent is made once for each message and reason."""

    def __init__(self, events: Sequence[Event], known: Known) -> None:
        self._known = known
        self._made: dict[tuple[int, Reason], bytes] = {}
        self._words: dict[str, list[_Words]] = {}
        """By conversation, newest first."""
        for event in reversed(events):
            text = in_words(event.content)
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

    def decide(self, page: Page, devices: Devices, now: int) -> list[Message]:
        """One message at most for each row: of a conversation the newest that is told of."""
        looking = {user for user, tokens in page.subscribed.items() if _looks(tokens, devices[user])}
        return [made for row in page.rows if row.user not in looking and (made := self._of(row, page, now))]

    def _of(self, row: Any, page: Page, now: int) -> Message | None:
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
                urgency: Urgency = "high" if decision.why in _SOON else "normal"
                to = Subscription(row.endpoint, row.public, row.auth)
                return Message(to, self._payload(one, room, decision.why), topic(event.lane), urgency)
        return None

    def _payload(self, one: _Words, room: _Room, why: Reason) -> bytes:
        key = (one.event.position, why)
        if key not in self._made:
            name = self._known.names.get(one.event.sender or "", one.event.sender or "")
            self._made[key] = _encode(_notice(one.event, room, name, one.words, why, one.thread))
        return self._made[key]


def topic(conversation: str) -> str:
    """A newer message of a conversation takes the place of one that waits, here and at the service (RFC 8030, 5.4)."""
    return urlsafe_b64encode(sha256(conversation.encode()).digest()[:24]).decode()


def _looks(tokens: set[str], devices: Sequence[Device]) -> bool:
    """A page that shows notifications itself is open, and somebody is there: it has not said `away`."""
    return any(device.token_id in tokens and device.status != "away" for device in devices)


def _notice(event: Event, room: _Room, name: str, words: str, why: Reason, thread: int | None) -> Notice:
    title, text = (name, words) if room.kind == "direct" else (room.title or "", f"{name}: {words}" if name else words)
    shown = _cut(title, _TITLE_LENGTH), _cut(text, TEXT_LENGTH)
    return Notice(*shown, event.lane, event.seq, room.kind, event.sender, event.time, why, thread)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
