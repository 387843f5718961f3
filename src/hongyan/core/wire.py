"""Events as their readers see them. Each is encoded once for each format; every reader gets the same bytes."""

import msgspec

from hongyan.core.model import Event


class WireEvent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The map of docs/protocol.md. `content` is any JSON object."""

    cursor: str
    conversation: str
    seq: int
    type: str
    sender: str | None
    time: int
    content: msgspec.Raw
    client_id: str | None = None


def wired(e: Event, epoch: str) -> WireEvent:
    """An event as its readers see it."""
    return WireEvent(f"{epoch}.{e.position}", e.lane, e.seq, e.type, e.sender, e.time, msgspec.Raw(e.content), e.client_id)


class _Plain(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    cursor: str
    conversation: str
    seq: int
    type: str
    sender: str | None
    time: int
    content: object
    client_id: str | None = None


_json = msgspec.json.Encoder().encode
_msgpack = msgspec.msgpack.Encoder().encode
_content = msgspec.json.Decoder().decode


class Entry:
    """An event on its way to readers."""

    __slots__ = ("_json", "_msgpack", "cursor", "event")

    def __init__(self, event: Event, epoch: str) -> None:
        self.event = event
        self.cursor = f"{epoch}.{event.position}"
        self._json: bytes | None = None
        self._msgpack: bytes | None = None

    def redact(self, content: bytes) -> None:
        """From now on it says this."""
        self.event = msgspec.structs.replace(self.event, content=content)
        self._json = self._msgpack = None

    def json(self) -> bytes:
        if self._json is None:
            e = self.event
            wire = WireEvent(self.cursor, e.lane, e.seq, e.type, e.sender, e.time, msgspec.Raw(e.content), e.client_id)
            self._json = _json(wire)
        return self._json

    def msgpack(self) -> bytes:
        if self._msgpack is None:
            e = self.event
            self._msgpack = _msgpack(
                _Plain(self.cursor, e.lane, e.seq, e.type, e.sender, e.time, _content(e.content), e.client_id)
            )
        return self._msgpack
