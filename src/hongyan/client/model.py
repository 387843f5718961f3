"""What travels: the maps of docs/protocol.md as types. Members that a newer server adds are ignored."""

from typing import Any, Literal

import msgspec

from hongyan.core.amending import Amended
from hongyan.core.cursor import parse_cursor

Json = dict[str, Any]
TransportName = Literal["websocket", "sse", "longpoll", "poll"]
Status = Literal["online", "away", "busy", "dnd", "offline"]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of the log, as its reader sees it."""

    cursor: str
    conversation: str
    """The lane: a conversation's id, `user:ID` or `directory`."""
    seq: int
    type: str
    sender: str | None = None
    time: int = 0
    """Milliseconds since 1970 UTC."""
    content: Json = {}
    client_id: str | None = None

    @property
    def position(self) -> int:
        """The place in the whole log."""
        return parse_cursor(self.cursor).position

    @property
    def text(self) -> str:
        """The text of a message, empty for anything else."""
        text = self.content.get("text")
        return text if isinstance(text, str) else ""


class Member(msgspec.Struct, frozen=True):
    id: str
    name: str
    role: str = "member"


class Conversation(msgspec.Struct, frozen=True):
    """A conversation as its caller sees it; `cursor` is the position it is true at, when it was asked for alone."""

    id: str
    kind: str
    title: str | None = None
    topic: str | None = None
    history: str = "joined"
    writers: str = "all"
    role: str | None = None
    first_seq: int = 1
    head_seq: int = 0
    read_seq: int = 0
    unread: int = 0
    mentioned: int = 0
    """Unread messages that mention the reader."""
    last: Event | None = None
    amended: Amended | None = None
    """What was done to `last`."""
    member_count: int = 0
    members: list[Member] | None = None
    """None when there are more than 100; then read the pages of members."""
    cursor: str | None = None


class Me(msgspec.Struct, frozen=True):
    id: str
    name: str
    admin: bool = False


class Snapshot(msgspec.Struct, frozen=True):
    """Everything needed at the start, as of exactly `cursor`."""

    cursor: str
    user: Me
    conversations: list[Conversation] = []


class User(msgspec.Struct, frozen=True):
    id: str
    name: str


class Device(msgspec.Struct, frozen=True):
    device: str
    transport: str = ""
    status: str = "online"
    since: int = 0


class Online(msgspec.Struct, frozen=True):
    """Somebody who is there, and with what."""

    id: str
    name: str
    status: str = "online"
    text: str | None = None
    devices: list[Device] = []


class Session(msgspec.Struct, frozen=True):
    """What a log-in gives. The token is a secret."""

    token: str
    user_id: str
    name: str = ""
    token_id: str = ""
    device: str = ""
    change_password: bool = False
    """True while the password is one that somebody else chose."""


class Sent(msgspec.Struct, frozen=True):
    """The answer to a send: the message is durable at this place."""

    seq: int
    position: int
    time: int = 0


class History(msgspec.Struct, frozen=True):
    events: list[Event]
    more: bool = False
    amended: list[Amended] = []
    """What was done to those that are messages."""


class MembersPage(msgspec.Struct, frozen=True):
    members: list[Member]
    more: bool = False


class Batch(msgspec.Struct, frozen=True):
    """What a transport hands over at once: events in order, signals, and the cursor behind them."""

    cursor: str | None = None
    events: list[Event] = []
    signals: list[Json] = []
    limited: bool = False
    """The server could not continue from the cursor: forget what was loaded and load a snapshot."""
    reason: str | None = None
    more: bool = False
    opened: bool = False
    """Made by the transport itself when the connection stands, before the server said anything."""
