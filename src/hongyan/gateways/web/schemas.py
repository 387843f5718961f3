"""The bodies of requests and answers that are not types of the services. Input is decoded strictly: a "5" is no 5.

Whole numbers go up to 2**53 - 1, which every JSON reader keeps exactly (RFC 7493, 2.2).
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hongyan.core.acts import Act
from hongyan.core.amending import Amended
from hongyan.core.choice import By
from hongyan.core.content import Content
from hongyan.core.model import HistoryPolicy, Role, Status, Writers
from hongyan.core.own import Moment, Own, StatusText
from hongyan.core.wire import WireEvent
from hongyan.features.identity.model import TokenView
from hongyan.features.push import NewSubscription
from hongyan.features.search import Order
from hongyan.features.timers import NewReminder, NewSend
from hongyan.gateways.door.lent import Stream
from hongyan.messaging import BanView, ChannelView, ConversationView, MemberView, OnlineView, ReadMark, ResponseKind, UserView

LARGEST = 2**53 - 1

Seq = Annotated[int, Meta(ge=0, le=LARGEST)]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
Label = Annotated[str, Meta(min_length=1, max_length=64)]
Secret = Annotated[str, Meta(max_length=1_000)]
UserId = Annotated[str, Meta(min_length=1, max_length=64)]
Place = Annotated[str, Meta(extra_json_schema={"pattern": r"^[0-9a-z]{1,16}\.[0-9]{1,18}$"})]
"""A cursor. Its form is told to generators of tests only: `core.cursor` reads it."""
Title = Annotated[str, Meta(extra_json_schema={"minLength": 1, "pattern": r"\S"})]
"""The service says what is wrong with a title in better words than a pattern can."""
Topic = Annotated[str, Meta(max_length=2_000, extra_json_schema={"minLength": 1, "pattern": r"\S"})]
ClientId = Annotated[str, Meta(pattern="^[!-~]{1,64}$")]


class LoginBody(msgspec.Struct, frozen=True):
    username: Annotated[str, Meta(max_length=256)]
    password: Secret
    device: Label


class PasswordBody(msgspec.Struct, frozen=True):
    old: Secret
    new: Annotated[str, Meta(min_length=1, max_length=1_000)]


class TokenBody(msgspec.Struct, frozen=True):
    name: Label
    days: Annotated[int, Meta(ge=1, le=3_650)] | None = None


class EmbedBody(msgspec.Struct, frozen=True):
    conversation: UserId


class NewDirect(msgspec.Struct, frozen=True, tag_field="kind", tag="direct"):
    members: Annotated[list[UserId], Meta(min_length=1, max_length=1)]
    """The other one."""


class NewGroup(msgspec.Struct, frozen=True, tag_field="kind", tag="group"):
    title: Title
    members: list[UserId]
    """Everybody but the caller."""
    history: HistoryPolicy = "joined"
    topic: Topic | None = None
    writers: Writers = "all"


class NewChannel(msgspec.Struct, frozen=True, tag_field="kind", tag="channel"):
    """A group that everybody may find and join."""

    title: Title
    members: list[UserId] = []
    history: HistoryPolicy = "all"
    topic: Topic | None = None
    writers: Writers = "all"


class SettingsBody(msgspec.Struct, frozen=True):
    """One of them at least."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    history: HistoryPolicy | msgspec.UnsetType = msgspec.UNSET
    topic: Annotated[str, Meta(max_length=2_000)] | msgspec.UnsetType = msgspec.UNSET
    """Empty: none."""
    writers: Writers | msgspec.UnsetType = msgspec.UNSET
    """`nobody` archives the conversation."""


class MembersBody(msgspec.Struct, frozen=True):
    users: Annotated[list[UserId], Meta(min_length=1)]


class RoleBody(msgspec.Struct, frozen=True):
    role: Role


class MessageBody(msgspec.Struct, frozen=True):
    client_id: ClientId
    content: Content


class ActBody(msgspec.Struct, frozen=True):
    act: Act
    client_id: ClientId | None = None
    """The same one again gives the first answer and does nothing."""


class OwnBody(msgspec.Struct, frozen=True):
    act: Own
    client_id: ClientId | None = None
    """The same one again gives the first answer and does nothing."""


class Positioned(msgspec.Struct, frozen=True):
    position: int
    """Who has seen the log up to here has seen it."""


class PersonView(msgspec.Struct, frozen=True):
    id: str
    name: str
    status_text: StatusText | None
    """What they say of themselves now."""
    avatar: str | msgspec.UnsetType = msgspec.UNSET
    """The hash of their picture, if they have one."""


class AvatarHash(msgspec.Struct, frozen=True):
    avatar: str


class TimerBody(msgspec.Struct, frozen=True):
    """One of them at least."""

    due: Moment | msgspec.UnsetType = msgspec.UNSET
    content: Content | msgspec.UnsetType = msgspec.UNSET
    note: Annotated[str, Meta(max_length=500)] | msgspec.UnsetType = msgspec.UNSET


class ReadBody(msgspec.Struct, frozen=True):
    seq: Seq


class TypingBody(msgspec.Struct, frozen=True):
    typing: bool


class PresenceBody(msgspec.Struct, frozen=True):
    status: Status
    text: str | None = None


class Myself(msgspec.Struct, frozen=True):
    id: str
    name: str
    admin: bool
    device: str
    token_id: str


class Tokens(msgspec.Struct, frozen=True):
    tokens: list[TokenView]


class Users(msgspec.Struct, frozen=True):
    users: list[UserView]


class Online(msgspec.Struct, frozen=True):
    users: list[OnlineView]


class ConversationList(msgspec.Struct, frozen=True):
    conversations: list[ConversationView]
    cursor: str


class Channels(msgspec.Struct, frozen=True):
    channels: list[ChannelView]
    more: bool


class Members(msgspec.Struct, frozen=True):
    members: list[MemberView]
    more: bool


class BanList(msgspec.Struct, frozen=True):
    bans: list[BanView]
    """In order of their ids."""


class Sent(msgspec.Struct, frozen=True):
    seq: int
    position: int
    time: int
    """Milliseconds since 1970 UTC."""


class Mark(msgspec.Struct, frozen=True):
    seq: int


class Marks(msgspec.Struct, frozen=True):
    marks: list[ReadMark]


class History(msgspec.Struct, frozen=True):
    events: list[WireEvent]
    more: bool
    amended: list[Amended] | msgspec.UnsetType = msgspec.UNSET
    """What was done to those that are messages, if anything was."""
    newer: bool | msgspec.UnsetType = msgspec.UNSET
    """With `around`: there are more above the newest of these; `more` is about below the oldest."""


class Events(msgspec.Struct, frozen=True):
    """The answer of a poll, and the data of each message of an event stream."""

    events: list[WireEvent]
    cursor: str
    more: bool
    signals: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    limited: bool | msgspec.UnsetType = msgspec.UNSET
    """Forget what was loaded, load `/v1/snapshot`, and go on from `cursor`."""
    reason: Literal["epoch", "too-old", "ahead"] | msgspec.UnsetType = msgspec.UNSET


class Health(msgspec.Struct, frozen=True):
    status: Literal["ok", "degraded", "down"]
    reasons: list[str]
    version: str
    position: int


class NodeView(msgspec.Struct, frozen=True):
    id: str
    """Another one after each start."""
    name: str
    version: str
    addresses: dict[str, str]
    """HOST:PORT by the name of a gateway."""
    started: int
    """Milliseconds since 1970 UTC."""
    sessions: int
    users: int
    position: int
    ready: bool
    """It takes clients."""
    reason: str
    """Why not."""


class NodeList(msgspec.Struct, frozen=True):
    nodes: list[NodeView]


class StreamList(msgspec.Struct, frozen=True):
    streams: list[Stream]


class PickedNode(msgspec.Struct, frozen=True):
    id: str
    name: str
    addresses: dict[str, str]


class _Query(msgspec.Struct, frozen=True):
    """A field that was not given is UNSET and not None: in a loose conversion the text "null" would be None."""


class PeopleQuery(_Query, frozen=True):
    prefix: Annotated[str, Meta(max_length=64)] = ""
    limit: Limit = 100


class ChannelsQuery(_Query, frozen=True):
    q: Annotated[str, Meta(max_length=100)] = ""
    """A part of the title."""
    after: Annotated[str, Meta(max_length=64)] = ""
    """The last id of the page before."""
    limit: Limit = 100


class MembersQuery(_Query, frozen=True):
    after: str | msgspec.UnsetType = msgspec.UNSET
    """The last id of the page before."""
    limit: Limit = 100


class HistoryQuery(_Query, frozen=True):
    before: Seq | msgspec.UnsetType = msgspec.UNSET
    after: Seq | msgspec.UnsetType = msgspec.UNSET
    around: Seq | msgspec.UnsetType = msgspec.UNSET
    limit: Limit = 100


class AvatarQuery(_Query, frozen=True):
    hash: Annotated[str, Meta(max_length=64)] | msgspec.UnsetType = msgspec.UNSET


class PollQuery(_Query, frozen=True):
    after: Place | msgspec.UnsetType = msgspec.UNSET
    limit: Limit = 100
    wait: Annotated[float, Meta(ge=0)] = 0.0


class BackQuery(_Query, frozen=True):
    before: Seq | msgspec.UnsetType = msgspec.UNSET
    """The `place` of the last one of the page before."""
    limit: Limit = 100


class ThreadQuery(_Query, frozen=True):
    after: Seq = 0
    limit: Limit = 100


class ReadersQuery(_Query, frozen=True):
    have: bool = True
    after: Annotated[str, Meta(max_length=64)] = ""
    limit: Limit = 100


class RespondedQuery(_Query, frozen=True):
    value: Annotated[str, Meta(max_length=64)]
    kind: ResponseKind = "react"
    after: Annotated[str, Meta(max_length=64)] = ""
    limit: Limit = 100


class SearchQuery(_Query, frozen=True):
    """`q` as people type it; the others as they would be typed in it behind `from:`, `in:`, ..."""

    q: str = ""
    sender: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="from")
    place: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="in")
    before: str | msgspec.UnsetType = msgspec.UNSET
    after: str | msgspec.UnsetType = msgspec.UNSET
    has: str | msgspec.UnsetType = msgspec.UNSET
    order: Order = "time"
    limit: Limit = 20
    page: Annotated[str, Meta(max_length=64)] | msgspec.UnsetType = msgspec.UNSET
    """`next` of the page before."""


class NameQuery(_Query, frozen=True):
    q: str
    limit: Limit = 20


class PickQuery(_Query, frozen=True):
    by: By = "least"
    key: Annotated[str, Meta(max_length=200)] = ""
    gateway: Annotated[str, Meta(max_length=32)] = "http"


class StreamQuery(_Query, frozen=True):
    after: Place | msgspec.UnsetType = msgspec.UNSET


QUERIES: dict[str, type[msgspec.Struct]] = {
    "search_users": PeopleQuery,
    "avatar": AvatarQuery,
    "search": SearchQuery,
    "search_people": NameQuery,
    "search_conversations": NameQuery,
    "list_members": MembersQuery,
    "list_channels": ChannelsQuery,
    "history": HistoryQuery,
    "poll": PollQuery,
    "event_stream": StreamQuery,
    "pick_node": PickQuery,
    "list_thread": ThreadQuery,
    "list_edits": ThreadQuery,
    "list_pins": ThreadQuery,
    "list_bookmarks": BackQuery,
    "list_threads": BackQuery,
    "list_readers": ReadersQuery,
    "list_responses": RespondedQuery,
}
"""By the id of the operation."""

BODIES: tuple[type[msgspec.Struct], ...] = (
    LoginBody,
    PasswordBody,
    TokenBody,
    EmbedBody,
    NewDirect,
    NewGroup,
    NewChannel,
    SettingsBody,
    MembersBody,
    RoleBody,
    MessageBody,
    ActBody,
    OwnBody,
    NewSend,
    NewReminder,
    TimerBody,
    NewSubscription,
    ReadBody,
    TypingBody,
    PresenceBody,
)
"""Every body that is taken."""
