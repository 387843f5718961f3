"""What travels: the maps of docs/protocol.md as types. Members that a newer server adds are ignored."""

from typing import Any, Literal

import msgspec

from hongyan.core.amending import Amended
from hongyan.core.cursor import parse_cursor
from hongyan.core.own import StatusText
from hongyan.core.owned import USUAL, OwnView
from hongyan.core.preferences import Preferences

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


class Ban(msgspec.Struct, frozen=True):
    """Somebody who may not come into a conversation, since `time`, by the word of `by`."""

    id: str
    name: str
    by: str
    time: int


class File(msgspec.Struct, frozen=True):
    """What somebody has put on the server; `size` in bytes, `created` in milliseconds since 1970 UTC."""

    id: str
    name: str
    size: int
    media_type: str
    created: int


class FileList(msgspec.Struct, frozen=True):
    """The newest first; `used` and `most` are bytes that they have and may have together."""

    files: list[File]
    used: int
    most: int


class Conversation(msgspec.Struct, frozen=True):
    """A conversation as its caller sees it; `cursor` is the position it is true at, when it was asked for alone."""

    id: str
    kind: str
    title: str | None = None
    topic: str | None = None
    history: str = "joined"
    writers: str = "all"
    """Who may write: `all`, `admins`, or `nobody`, when it is archived."""
    role: str | None = None
    first_seq: int = 1
    head_seq: int = 0
    read_seq: int = 0
    unread: int = 0
    mentioned: int = 0
    """Unread messages that mention the caller."""
    last: Event | None = None
    amended: Amended | None = None
    """What was done to `last`."""
    member_count: int = 0
    members: list[Member] | None = None
    """None when there are more than 100; then read the pages of members."""
    cursor: str | None = None
    own: OwnView = USUAL
    """What the caller has of it for themselves: drafts, level, place in the list."""


class Me(msgspec.Struct, frozen=True):
    id: str
    name: str
    admin: bool = False


class Snapshot(msgspec.Struct, frozen=True):
    """Everything needed at the start, as of exactly `cursor`."""

    cursor: str
    user: Me
    conversations: list[Conversation] = []
    preferences: Preferences = Preferences()
    status_text: StatusText | None = None


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


class Positioned(msgspec.Struct, frozen=True):
    """Who has seen the log up to here has seen it."""

    position: int


class History(msgspec.Struct, frozen=True):
    """Events in order, and what was done to those that are messages."""

    events: list[Event]
    more: bool = False
    amended: list[Amended] = []


class Somebody(msgspec.Struct, frozen=True):
    """A page of people, and how many there are altogether."""

    users: list[User]
    count: int = 0
    more: bool = False


class Bookmarked(msgspec.Struct, frozen=True):
    conversation: str
    seq: int
    place: int
    """For the page of those before it."""
    time: int
    message: Event
    note: str = ""
    amended: Amended | None = None


class BookmarksPage(msgspec.Struct, frozen=True):
    bookmarks: list[Bookmarked]
    more: bool = False


class Followed(msgspec.Struct, frozen=True):
    """A thread that one follows, and the message that it hangs on."""

    conversation: str
    seq: int
    place: int
    read_seq: int
    message: Event
    unread: int = 0
    amended: Amended | None = None


class ThreadsPage(msgspec.Struct, frozen=True):
    threads: list[Followed]
    more: bool = False


class Timer(msgspec.Struct, frozen=True):
    """A message for later, or a reminder. `failed` says why it did not go."""

    id: str
    kind: str
    conversation: str
    due: int
    created: int = 0
    content: Json | None = None
    seq: int | None = None
    note: str = ""
    failed: str | None = None
    detail: str | None = None
    gone: bool = False


class TimerList(msgspec.Struct, frozen=True):
    """As of exactly `cursor`; `after` is the fold of the `timer` events since."""

    timers: list[Timer]
    cursor: str

    def after(self, event: Event) -> "TimerList":
        """The list after the next event; events that are in it already, and others, change nothing."""
        if event.type != "timer" or event.position <= parse_cursor(self.cursor).position:
            return self
        kept = [timer for timer in self.timers if timer.id != event.content["id"]]
        if (told := event.content.get("timer")) is not None:
            kept.append(msgspec.convert(told, Timer))
        return TimerList(sorted(kept, key=lambda timer: (timer.due, timer.id)), event.cursor)


class Watcher(msgspec.Struct, frozen=True):
    """Somebody of another server. `state` is `asks` or `sees`: whether they want to see one's presence, or may."""

    id: str
    state: str


class WatcherList(msgspec.Struct, frozen=True):
    """As of exactly `cursor`; `after` is the fold of the `watcher` events since."""

    watchers: list[Watcher]
    cursor: str

    @property
    def asking(self) -> list[str]:
        """Who waits for an answer."""
        return [one.id for one in self.watchers if one.state == "asks"]

    def after(self, event: Event) -> "WatcherList":
        """The list after the next event; events that are in it already, and others, change nothing."""
        if event.type != "watcher" or event.position <= parse_cursor(self.cursor).position:
            return self
        kept = [one for one in self.watchers if one.id != event.content["id"]]
        if (state := event.content.get("state")) is not None:
            kept.append(Watcher(event.content["id"], state))
        return WatcherList(sorted(kept, key=lambda one: one.id), event.cursor)


class Channel(msgspec.Struct, frozen=True):
    """A channel in the directory of channels."""

    id: str
    title: str
    topic: str | None = None
    writers: str = "all"
    member_count: int = 0
    joined: bool = False


class ChannelsPage(msgspec.Struct, frozen=True):
    channels: list[Channel]
    more: bool = False


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
