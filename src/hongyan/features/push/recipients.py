"""Who is told of messages: members with a subscription whom `core.notifying` would tell, and who do not look anyway."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, select

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


class Candidates(msgspec.Struct, frozen=True):
    """What the store says of some messages."""

    rooms: dict[str, _Room]
    names: dict[str, str]
    rows: dict[str, list[Any]]
    """By conversation: members' subscriptions, with what they wish."""
    following: set[tuple[str, str, int]]
    """User, conversation, first message of a thread."""


def read(connection: Connection, events: Sequence[Event], now: int) -> Candidates | None:
    """None when nobody there has a subscription."""
    lanes = list({event.lane for event in events})
    s, m, a = push_subscriptions.c, members.c, arrangements.c
    joined = (
        push_subscriptions.join(tokens, tokens.c.id == s.token)
        .join(members, m.user == s.user)
        .outerjoin(arrangements, and_(a.user == m.user, a.conversation == m.conversation))
        .outerjoin(preferences, preferences.c.user == m.user)
    )
    columns = (m.conversation, m.role, m.first_seq, m.read_seq, a.level, a.muted_until, preferences.c.content)
    statement = (
        select(s.user, s.endpoint, s.public, s.auth, tokens.c.device, *columns)
        .select_from(joined)
        .where(m.conversation.in_(lanes), tokens.c.expires > now)
    )
    rows: dict[str, list[Any]] = {}
    for row in connection.execute(statement):
        rows.setdefault(row.conversation, []).append(row)
    if not rows:
        return None
    c = conversations.c
    of_rooms = select(c.id, c.kind, c.title).where(c.id.in_(list(rows)))
    rooms = {id: _Room(kind, title) for id, kind, title in connection.execute(of_rooms)}
    senders = list({event.sender for event in events if event.sender is not None and event.lane in rows})
    names = {id: name for id, name in connection.execute(select(users.c.id, users.c.name).where(users.c.id.in_(senders)))}
    threads = [(event.lane, thread) for event in events if (thread := _content(event.content).thread) is not None]
    f = followers.c
    following = {
        (user, lane, thread)
        for lane, thread in set(threads)
        for (user,) in connection.execute(select(f.user).where(f.conversation == lane, f.seq == thread, f.read_seq >= 0))
    }
    return Candidates(rooms, names, rows, following)


Devices = Mapping[str, Sequence[Device]]
"""Of each candidate those that are connected."""


def decide(events: Sequence[Event], known: Candidates, devices: Devices, now: int) -> dict[int, list[Message]]:
    """What is to be sent, by the position of the message that is told of."""
    return {event.position: made for event in events if (made := _of(event, known, devices, now))}


def _of(event: Event, known: Candidates, devices: Devices, now: int) -> list[Message]:
    room = known.rooms.get(event.lane)
    words = " ".join(in_words(event.content).split())
    if room is None or not words:
        return []
    content = _content(event.content)
    said = Said(event.sender, in_words(event.content), content.mentions)
    found = []
    rows = known.rows.get(event.lane, [])
    subscribed: dict[str, set[str]] = {}
    for row in rows:
        subscribed.setdefault(row.user, set()).add(row.device)
    for row in rows:
        if row.first_seq > event.seq or (row.read_seq >= event.seq and content.thread is None):
            continue
        if content.thread is not None and not (
            (row.user, event.lane, content.thread) in known.following or mentions(content.mentions, row.user, row.role)
        ):
            continue
        wishes = _preferences(row.content) if row.content is not None else Preferences()
        decision = notifies(said, room.kind, Reader(row.user, row.role, row.level or "all", row.muted_until, wishes), now)
        if decision.notify and not _looks(subscribed[row.user], devices[row.user]):
            name = known.names.get(event.sender or "", event.sender or "")
            payload = _encode(_notice(event, room, name, words, decision.why, content.thread))
            urgency: Urgency = "high" if decision.why in _SOON else "normal"
            found.append(Message(Subscription(row.endpoint, row.public, row.auth), payload, topic(event.lane), urgency))
    return found


def topic(conversation: str) -> str:
    """A newer message of a conversation takes the place of one that was not delivered (RFC 8030, 5.4)."""
    return urlsafe_b64encode(sha256(conversation.encode()).digest()[:24]).decode()


def _looks(subscribed: set[str], devices: Sequence[Device]) -> bool:
    """A page that shows notifications itself is open, and somebody is there: it has not said `away`."""
    return any(device.device in subscribed and device.status != "away" for device in devices)


def _notice(event: Event, room: _Room, name: str, words: str, why: Reason, thread: int | None) -> Notice:
    title, text = (name, words) if room.kind == "direct" else (room.title or "", f"{name}: {words}" if name else words)
    shown = _cut(title, _TITLE_LENGTH), _cut(text, TEXT_LENGTH)
    return Notice(*shown, event.lane, event.seq, room.kind, event.sender, event.time, why, thread)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
