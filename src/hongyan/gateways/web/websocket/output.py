"""What goes out: one write for each connection and turn, and equal frames are built once."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hongyan.core.wire import Entry
from hongyan.gateways.door.turns import MANY, PAUSE, Turns
from hongyan.gateways.web.websocket.codec import RESERVED_1, Codec, header
from hongyan.gateways.web.websocket.deflate import WORTH_IT, Deflater

log = logging.getLogger("hongyan.web")


class Frames:
    """Frames of one turn. Whoever is given the same events up to the same cursor in the same form gets the same bytes."""

    __slots__ = ("_events", "_signals")

    def __init__(self) -> None:
        self._events: dict[tuple[Any, ...], bytes] = {}
        self._signals: dict[tuple[Codec, int], tuple[Mapping[str, Any], bytes]] = {}

    def events(self, codec: Codec, deflater: Deflater | None, entries: Sequence[Entry], cursor: str) -> bytes:
        """An `events` frame. Entries are compared by identity: the follower makes one of each event."""
        key = (codec, deflater, cursor, *entries)
        frame = self._events.get(key)
        if frame is None:
            frame = codec.events(entries, cursor) if deflater is None else _compressed(codec, deflater, entries, cursor)
            self._events[key] = frame
        return frame

    def signal(self, codec: Codec, body: Mapping[str, Any]) -> bytes:
        found = self._signals.get((codec, id(body)))
        if found is None:
            found = body, codec.signal(body)  # the body is kept, so that its id stays its own
            self._signals[codec, id(body)] = found
        return found[1]


def _compressed(codec: Codec, deflater: Deflater, entries: Sequence[Entry], cursor: str) -> bytes:
    payload = codec.events_payload(entries, cursor)
    if len(payload) >= WORTH_IT:
        smaller = deflater.deflate(payload)
        if len(smaller) < len(payload):
            return header(codec.opcode | RESERVED_1, len(smaller)) + smaller
    return header(codec.opcode, len(payload)) + payload


class Flushed(Protocol):
    """A connection."""

    def flush(self, frames: Frames) -> None: ...

    def drop(self) -> None: ...


class Output:
    """One write for each connection and turn (`Turns`)."""

    def __init__(self, *, many: int = MANY, pause: float = PAUSE) -> None:
        self._turns: Turns[Flushed] = Turns(self._flush, many=many, pause=pause)

    def add(self, connection: Flushed) -> None:
        """`connection` is flushed soon. It is added once until then, which it sees to itself."""
        self._turns.add(connection)

    def _flush(self, dirty: list[Flushed]) -> None:
        frames = Frames()
        for connection in dirty:
            try:
                connection.flush(frames)
            except Exception:
                log.exception("a connection could not be written to")
                connection.drop()
