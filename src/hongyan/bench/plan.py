"""What the conductor and its worker processes tell each other. Everything here is pickled through a pipe."""

import msgspec

from hongyan.bench.ledger import Verdict

TRANSPORTS = ("ws-msgpack", "ws-json", "sse", "long-poll", "short-poll")


class PersonPlan(msgspec.Struct, frozen=True):
    """One connection. `lane` is an index into the plan's lanes, -1 for a connection that only listens."""

    token: str
    transport: str = "ws-msgpack"
    lane: int = -1
    node: int = 0
    """An index into the plan's nodes."""


class LanePlan(msgspec.Struct, frozen=True):
    """One conversation whose members all have one connection in the same worker. `index` is unique in the run."""

    index: int
    conversation: str


class Plan(msgspec.Struct, frozen=True):
    """All a worker needs to know. `source` are the local addresses to connect from, used in turn; none lets the kernel choose."""

    nodes: tuple[tuple[str, int], ...]
    """Host and port of each."""
    prefix: str
    tls: bool
    run: int
    persons: tuple[PersonPlan, ...]
    lanes: tuple[LanePlan, ...] = ()
    size: int = 120
    random_ids: bool = False
    poll_interval: float = 0.5
    source: tuple[str, ...] = ()
    connecting: int = 500
    """Connections being opened at the same time."""


class Open(msgspec.Struct, frozen=True):
    """Open all connections; answered with Opened."""

    seconds: float
    """Give up after this time."""


class Load(msgspec.Struct, frozen=True):
    """Send for `seconds` from `at` (microseconds of the monotonic clock) on, wait until all has arrived; answered with Loaded.

    With a `rate` (messages a second, of this worker) they go out by the clock; without one each lane keeps `window` in flight.
    """

    at: int
    seconds: float
    rate: float | None
    window: int
    drain: float
    """Seconds to wait for what is still on its way."""


class Storm(msgspec.Struct, frozen=True):
    """Send `missed` messages in each lane, cut all connections at once, come back with the cursors; answered with Opened."""

    at: int
    missed: int
    seconds: float


class Ping(msgspec.Struct, frozen=True):
    """Ask every WebSocket for a sign of life; answered with Opened (`opened` is the number of pongs)."""

    seconds: float


class Audit(msgspec.Struct, frozen=True):
    """Compare the ledgers; answered with Audited. Everything is counted from the begin of the run."""


class Stop(msgspec.Struct, frozen=True):
    """Close everything and end; no answer."""


class Opened(msgspec.Struct, frozen=True):
    opened: int
    failed: int
    began: int
    """Microseconds of the monotonic clock."""
    ended: int
    delays: bytes
    """array('I') of microseconds, one for each connection: from its first attempt until it was open."""
    refused: int
    """Attempts answered with 503 or 429, each waited out as told."""


class Loaded(msgspec.Struct, frozen=True):
    sent: int
    acked: int
    delivered: int
    began: int
    ended: int
    delays: bytes
    """array('I') of microseconds from send to receipt at other people."""
    late: int
    """Microseconds by which the worst tick of the sending clock came late: the generator's own fault."""
    position: int
    """The highest position of the log that an acknowledgement named."""
    drained: bool


class Audited(msgspec.Struct, frozen=True):
    verdict: Verdict
    strays: int
    """Messages of this run that came to somebody who is not in their conversation."""
    disorder: int
    """Places where `seq` did not go up by one."""
    errors: dict[str, int]
    reconnects: int


Command = Open | Load | Storm | Ping | Audit | Stop
