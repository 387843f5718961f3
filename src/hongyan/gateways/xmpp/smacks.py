"""Stream management (XEP-0198): what was handled of what came, and what was written and not acknowledged yet.

A stanza counts as handled when what it asked for is durable, in the order in which stanzas came, so that an acknowledgement
promises as much as one on a WebSocket.
"""

from collections import deque

from hongyan.gateways.xmpp.faults import StreamFault

SM = "urn:xmpp:sm:3"
_WRAP = 2**32
_MOST = 2_000
_MOST_BYTES = 1_048_576
_ASK_EVERY = 20
"""Stanzas after which an acknowledgement is asked for."""


def counter(text: str) -> int | None:
    """An `h`; None when it is no number of 32 bits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) < _WRAP else None


class Handled:
    """Stanzas that came. Several may be under way; they are finished in any order and counted in theirs."""

    __slots__ = ("_base", "_began", "_done", "_finished")

    def __init__(self) -> None:
        self._base = 0
        self._began = 0
        self._finished = 0
        self._done: set[int] = set()

    @property
    def count(self) -> int:
        """So many are done since `restart`, without a gap; modulo 2**32."""
        return max(0, self._finished - self._base) % _WRAP

    def begin(self) -> int:
        self._began += 1
        return self._began

    def done(self, number: int) -> None:
        if number == self._finished + 1:
            self._finished = number
            while self._done and self._finished + 1 in self._done:
                self._finished += 1
                self._done.discard(self._finished)
        elif number > self._finished:
            self._done.add(number)

    @property
    def under_way(self) -> int:
        return self._began - self._finished

    def restart(self) -> None:
        """What comes from now on counts."""
        self._base = self._began


class Ledger:
    """Stanzas that were written, until they are acknowledged."""

    __slots__ = ("_acknowledged", "_asked", "_befores", "_bytes", "_unacknowledged", "id", "lost", "resumable")

    def __init__(self, id: str, resumable: bool) -> None:
        self.id = id
        self.resumable = resumable
        self._unacknowledged: deque[str] = deque()
        self._befores: deque[int] = deque()
        self._bytes = 0
        self._acknowledged = 0
        self._asked = False
        """There is a question without an answer."""
        self.lost = False
        """There was more than is kept: it cannot be resumed."""

    def wrote(self, stanza: str, before: int = 0) -> bool:
        """Whether to ask for an acknowledgement now. Everything up to the position `before` was written in earlier ones."""
        self._unacknowledged.append(stanza)
        self._befores.append(before)
        self._bytes += len(stanza)
        if len(self._unacknowledged) > _MOST or self._bytes > _MOST_BYTES:
            self.lost = True
        ask = not self._asked or len(self._unacknowledged) % _ASK_EVERY == 0 or self.full  # behind a full one nothing follows
        self._asked = self._asked or ask
        return ask

    @property
    def full(self) -> bool:
        """So much is not acknowledged that nothing more should be written."""
        return len(self._unacknowledged) >= _MOST // 2 or self._bytes >= _MOST_BYTES // 2

    def could_be(self, handled: int) -> bool:
        return (handled - self._acknowledged) % _WRAP <= len(self._unacknowledged)

    def acknowledged(self, handled: int) -> bool:
        """Whether to ask again: what was written behind the question, and is followed by nothing, would never be asked for.

        Raises StreamFault for more than was written.
        """
        fresh = (handled - self._acknowledged) % _WRAP
        if fresh > len(self._unacknowledged):
            sent = (self._acknowledged + len(self._unacknowledged)) % _WRAP
            raise StreamFault("undefined-condition", f"You acknowledge {handled} stanzas of {sent}")
        for _ in range(fresh):
            self._bytes -= len(self._unacknowledged.popleft())
            self._befores.popleft()
        self._acknowledged = (self._acknowledged + fresh) % _WRAP
        self._asked = fresh > 0 and bool(self._unacknowledged)
        return self._asked

    @property
    def before(self) -> int | None:
        """Everything up to this position was acknowledged; None: everything that was written."""
        return self._befores[0] if self._befores else None

    @property
    def waiting(self) -> list[str]:
        """Written and not acknowledged, oldest first."""
        return list(self._unacknowledged)
