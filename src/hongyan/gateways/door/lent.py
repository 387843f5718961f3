"""What the web gateway lends another: connections and requests of its port. The server introduces them to each other."""

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec


class Link(Protocol):
    """A WebSocket that is open. Nothing is written after `close`."""

    def write(self, text: str) -> None:
        """One message."""

    def pause(self) -> None:
        """Read nothing until `resume`."""

    def resume(self) -> None: ...

    def close(self) -> None:
        """Say good-bye after what was written; it is cut if nobody answers."""

    def abort(self) -> None: ...

    def progress(self) -> object:
        """Changes when the other end has taken something."""


class Talker(Protocol):
    """Who has borrowed a WebSocket, and is told what comes over it."""

    @property
    def most(self) -> int:
        """Bytes of the largest message that it takes now. What is larger ends the connection."""

    def message(self, data: bytes) -> None:
        """One in text."""

    def full(self) -> None:
        """Nothing more should be written until `room`."""

    def room(self) -> None: ...

    def gone(self) -> None:
        """The connection is closed, from either side."""


class Caller(msgspec.Struct, frozen=True):
    """From where a request came, and how."""

    address: str
    secure: bool
    """The client's own connection was encrypted: by this port, or by a proxy that is believed."""
    host: str
    """What it called this server; empty when it did not say."""


class Stream(msgspec.Struct, frozen=True):
    """A stream of XMPP on this node."""

    id: str
    kind: Literal["client", "server-in", "server-out"]
    address: str
    """A client's full address, or the domain of another server."""
    how: str
    """How another server has proven who it is, `external` or `dialback`; empty while it is being made, and for clients."""
    waiting: int
    """Stanzas that wait to be sent, to another server."""


class Streams(Protocol):
    """Those of this node, for administrators."""

    def all(self) -> list[Stream]: ...

    def end(self, id: str) -> bool:
        """Whether there was one."""


class Lodger(Protocol):
    """A gateway that has addresses on the web port."""

    @property
    def websockets(self) -> Mapping[str, str]:
        """Paths, each with its subprotocol."""

    @property
    def posts(self) -> frozenset[str]:
        """Paths that take POST."""

    @property
    def documents(self) -> frozenset[str]:
        """Paths that anybody may read."""

    def talk(self, path: str, link: Link, caller: Caller) -> Talker:
        """Take a WebSocket that is about to open."""

    def admit(self) -> None:
        """Raises Overloaded when it takes nobody now."""

    def most_body(self, address: str) -> int:
        """Bytes of the largest request from there."""

    async def post(self, path: str, body: bytes, caller: Caller) -> tuple[bytes, bytes]:
        """The type of the answer, and the answer. Cancelled when the client goes away. Raises Overloaded."""

    def document(self, path: str, caller: Caller) -> tuple[bytes, bytes]:
        """Its type, and itself."""
