"""Chunks as the bodies of polls and the messages of an event stream. The bytes of an event are shared among all its readers."""

from collections.abc import Iterator, Sequence

import msgspec

from hongyan.core.wire import Entry
from hongyan.messaging import Chunk, Page, Verdict

ANSWER = 1_048_576
"""About as many bytes of events are in one answer; `more` tells of the rest."""

_encode = msgspec.json.Encoder().encode


def is_empty(chunk: Chunk) -> bool:
    """Whether there is nothing to tell but the cursor."""
    return not chunk.entries and not chunk.signals and chunk.limited is None


def poll_body(chunk: Chunk) -> bytes:
    """The map of docs/protocol.md. A cursor that cannot be continued gives no events: everything is to be loaded anew."""
    cursor = chunk.cursor.encode()
    if chunk.limited is not None:
        return b'{"events":[],"cursor":"%b","more":false,"limited":true,"reason":%b}' % (cursor, _encode(chunk.limited))
    events = b",".join([entry.json() for entry in chunk.entries])
    signals = b',"signals":%b' % _encode(chunk.signals) if chunk.signals else b""
    return b'{"events":[%b],"cursor":"%b","more":%b%b}' % (events, cursor, b"true" if chunk.more else b"false", signals)


def history_body(page: Page, *, newest: bool, size: int = ANSWER) -> bytes:
    """`{"events","more","amended"?}`: as many as fit into about `size` bytes, at least one; the newest or the oldest of them."""
    kept: list[Entry] = []
    filled, more = 0, page.more
    for entry in reversed(page.entries) if newest else page.entries:
        filled += len(entry.json())
        if kept and filled > size:
            more = True
            break
        kept.append(entry)
    entries = kept[::-1] if newest else kept
    shown = {entry.event.seq for entry in entries}
    states = [one for one in page.amended if one.seq in shown]
    amended = b',"amended":%b' % _encode(states) if states else b""
    return b'{"events":[%b],"more":%b%b}' % (
        b",".join([entry.json() for entry in entries]),
        b"true" if more else b"false",
        amended,
    )


def around_body(page: Page, seq: int, *, size: int = ANSWER) -> bytes:
    """The same of what is around a message, with `newer`: half of the bytes for what is up to it, half for the others."""
    below = [entry for entry in page.entries if entry.event.seq <= seq]
    above = page.entries[len(below) :]
    old, new = _fitting(below[::-1], size // 2)[::-1], _fitting(above, size // 2)
    more, newer = page.more or len(old) < len(below), page.newer or len(new) < len(above)
    body = history_body(Page([*old, *new], more, page.amended), newest=True, size=4 * size)
    return body[:-1] + (b',"newer":true}' if newer else b',"newer":false}')


def _fitting(entries: Sequence[Entry], size: int) -> list[Entry]:
    """As many as fit into so many bytes; one at least."""
    kept: list[Entry] = []
    for entry in entries:
        size -= len(entry.json())
        if kept and size < 0:
            break
        kept.append(entry)
    return kept


def sse_frame(chunk: Chunk) -> bytes:
    """One message of an event stream. JSON has no line breaks inside, so one `data:` line is enough."""
    return b"id: %b\ndata: %b\n\n" % (chunk.cursor.encode(), poll_body(chunk))


def sse_heartbeat(cursor: str) -> bytes:
    return b"event: heartbeat\nid: %b\ndata: {}\n\n" % cursor.encode()


def sse_close(verdict: Verdict) -> bytes:
    return b"event: close\ndata: %b\n\n" % _encode(verdict)


def pieces(chunk: Chunk, size: int) -> Iterator[Chunk]:
    """The same in pieces of about `size` bytes of events, each with its own cursor: a slow reader gets forward piece by piece."""
    if chunk.limited is not None:
        yield chunk
        return
    begin, filled, last = 0, 0, len(chunk.entries) - 1
    for at, entry in enumerate(chunk.entries):
        filled += len(entry.json())
        if filled >= size and at < last:
            signals = chunk.signals if begin == 0 else []
            yield Chunk(chunk.entries[begin : at + 1], signals, entry.cursor, True)
            begin, filled = at + 1, 0
    if begin == 0:
        yield chunk
    else:
        yield Chunk(chunk.entries[begin:], [], chunk.cursor, chunk.more)
