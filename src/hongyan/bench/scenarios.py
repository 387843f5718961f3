"""The scenarios. Each opens its connections, measures, checks the ledgers, closes everything and returns its results."""

import time
from collections.abc import Callable, Sequence

import msgspec

from hongyan.bench import setup
from hongyan.bench.crew import BenchError, Crew, milliseconds
from hongyan.bench.figures import Result
from hongyan.bench.plan import TRANSPORTS, Audited, LanePlan, Loaded, Opened, PersonPlan, Plan
from hongyan.bench.procfs import Meter, Spent, cpu_seconds, resident_kib, tree_cpu_seconds
from hongyan.bench.setup import Account, Rest

_SETTLE = 0.3
"""Seconds after the last message in which a second copy would still be noticed."""
_OPEN_SECONDS = 180.0
_PER_ADDRESS = 20_000
"""Connections from one local address; the kernel gives some 28,000 ports to each."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to be like; every field is an option of the command."""

    connections: int = 500
    seconds: float = 5.0
    warmup: float = 0.5
    rate: float | None = None
    """Messages a second; None sends as fast as the window lets."""
    window: int = 2
    """Messages in flight: for each connection in pairs, for each group in groups."""
    size: int = 120
    """Bytes of a text."""
    group_size: int = 100
    transport: str = "ws-msgpack"
    transports: tuple[str, ...] = TRANSPORTS
    poll_interval: float = 0.5
    missed: int = 1
    """Messages in flight in each pair when a storm cuts all connections."""
    stored: int = 1_000_000
    """Up to how many stored events the cost of a message is measured."""
    random_ids: bool = False
    drain: float = 15.0
    """Seconds to wait for what has not arrived when a measurement ends."""
    workers: int = 1
    server_pids: tuple[int, ...] = ()
    beside: tuple[tuple[str, int], ...] = ()
    """Other processes whose CPU is told apart, with all below them: a name and a process id each."""


class Bench:
    """A server with the people to load it with. Conversations are made when a scenario first needs them, and kept."""

    def __init__(self, rest: Rest, people: Sequence[Account], settings: Settings, say: Callable[[str], None]) -> None:
        self._rest = rest
        self._people = people
        self._settings = settings
        self._say = say
        self._pairs: list[str] = []
        self._groups: dict[int, list[str]] = {}

    # What all scenarios are made of

    def _crew(self, persons: Sequence[PersonPlan], lanes: Sequence[str] = ()) -> Crew:
        """Workers with whole lanes each, so that every ledger is kept in one process; people without a lane are spread evenly."""
        settings, rest = self._settings, self._rest
        # Neighbours are on different nodes: what one writes to another crosses from node to node.
        persons = [msgspec.structs.replace(person, node=at % len(rest.nodes)) for at, person in enumerate(persons)]
        workers = max(1, min(settings.workers, len(persons)))
        members: dict[int, list[PersonPlan]] = {}
        loose: list[PersonPlan] = []
        for person in persons:
            if person.lane >= 0:
                members.setdefault(person.lane, []).append(person)
            else:
                loose.append(person)
        run = setup.run_number()
        source: tuple[str, ...] = ()
        if len(persons) > _PER_ADDRESS and rest.host.startswith("127."):
            source = tuple(f"127.0.0.{2 + at}" for at in range(len(persons) // _PER_ADDRESS + 1))
        plans = []
        for worker in range(workers):
            chosen = sorted(members)[worker::workers]
            mine = [
                msgspec.structs.replace(person, lane=place) for place, lane in enumerate(chosen) for person in members[lane]
            ] + loose[worker::workers]
            plans.append(
                Plan(
                    nodes=rest.nodes,
                    prefix=rest.prefix,
                    tls=rest.tls,
                    run=run,
                    persons=tuple(mine),
                    lanes=tuple(LanePlan(lane, lanes[lane]) for lane in chosen),
                    size=settings.size,
                    random_ids=settings.random_ids,
                    poll_interval=settings.poll_interval,
                    source=source,
                )
            )
        return Crew(plans)

    def _take(self, wanted: int) -> Sequence[Account]:
        if len(self._people) < wanted:
            raise BenchError(
                f"{wanted} connections need {wanted} users, there are {len(self._people)}; see --users and --connections"
            )
        return self._people[:wanted]

    def _meter(self, crew: Crew) -> Meter:
        return Meter(self._settings.server_pids, crew.pids, time.monotonic())

    def _pair_crew(self, connections: int, transports: Sequence[str]) -> Crew:
        """Pairs; the first of each receives over the first transport, the second over the second."""
        people = self._take(connections - connections % 2)
        if len(self._pairs) < len(people) // 2:
            self._say(f"{len(people) // 2} direct conversations")
            self._pairs = setup.pairs(self._rest, people)
        persons = [PersonPlan(person.token, transports[at % 2], at // 2) for at, person in enumerate(people)]
        return self._crew(persons, self._pairs)

    def _warm(self, crew: Crew, window: int) -> None:
        if self._settings.warmup:
            crew.load(seconds=self._settings.warmup, rate=self._settings.rate, window=window)

    def _measured(self, crew: Crew, scenario: str, case: str, *, rate: float | None, window: int, seconds: float) -> Result:
        before = crew.audit()
        meter, beside = self._meter(crew), self._beside()
        loaded = crew.load(seconds=seconds, rate=rate, window=window, drain=self._settings.drain)
        spent = meter.spent(time.monotonic())
        apart = {
            f"{name} CPU s/10k": _per(_less(now, beside[name]), loaded.acked, 10_000) for name, now in self._beside().items()
        }
        time.sleep(_SETTLE)
        result = _result(crew, scenario, case, loaded, spent, before, crew.audit())
        return msgspec.structs.replace(result, extra=result.extra | apart)

    def _beside(self) -> dict[str, float | None]:
        """CPU seconds until now of what is told apart; each node too, when there are several."""
        settings = self._settings
        nodes = {f"node {at}": cpu_seconds(pid) for at, pid in enumerate(settings.server_pids, 1)}
        others = {name: tree_cpu_seconds(pid) for name, pid in settings.beside}
        return (nodes if len(nodes) > 1 else {}) | others

    # The scenarios

    def pairs(self) -> list[Result]:
        """One-to-one over one transport, both sides sending."""
        settings = self._settings
        self._say(f"pairs: {settings.connections} connections")
        with self._pair_crew(settings.connections, (settings.transport, settings.transport)) as crew:
            crew.open(_OPEN_SECONDS)
            self._warm(crew, 2 * settings.window)
            case = _case(settings.rate, f"{settings.window} in flight each") + (", random ids" if settings.random_ids else "")
            return [self._measured(crew, "pairs", case, rate=settings.rate, window=2 * settings.window, seconds=settings.seconds)]

    def group(self) -> list[Result]:
        """Groups, all members online, members sending in turn. `rate` counts messages, of which each is delivered to all."""
        settings = self._settings
        size = settings.group_size
        people = self._take(max(size, settings.connections - settings.connections % size))
        self._say(f"group: {len(people)} connections in groups of {size}")
        if len(self._groups.get(size, ())) < len(people) // size:
            self._groups[size] = setup.groups(self._rest, people, size)
        persons = [PersonPlan(person.token, settings.transport, at // size) for at, person in enumerate(people)]
        with self._crew(persons, self._groups[size]) as crew:
            crew.open(_OPEN_SECONDS)
            self._warm(crew, settings.window)
            case = f"of {size}, " + _case(settings.rate, f"{settings.window} in flight each")
            return [self._measured(crew, "group", case, rate=settings.rate, window=settings.window, seconds=settings.seconds)]

    def idle(self) -> list[Result]:
        """Connections that do nothing: memory of the server for each. People have several when users are few."""
        settings = self._settings
        pids = settings.server_pids
        self._say(f"idle: {settings.connections} connections")
        persons = [
            PersonPlan(self._people[at % len(self._people)].token, settings.transport) for at in range(settings.connections)
        ]
        with self._crew(persons) as crew:
            before = _resident(pids)
            meter = self._meter(crew)
            opened = crew.open(_OPEN_SECONDS)
            opening = meter.spent(time.monotonic())
            time.sleep(1.0)
            after = _resident(pids)
            meter = self._meter(crew)
            time.sleep(settings.seconds)
            still = meter.spent(time.monotonic())
            alive = crew.ping(20.0)
            later = _resident(pids)
            audited = crew.audit()
        each = None if before is None or after is None else (after - before) / settings.connections
        extra: dict[str, float | int | None] = {
            "KiB for each connection": each,
            "KiB for each after a ping": None if before is None or later is None else (later - before) / settings.connections,
            "server KiB before": before,
            "server KiB after": after,
            "CPU ms to open one": _per(opening.server, settings.connections, 1000),
            "seconds to open all": (opened.ended - opened.began) / 1e6,
            "server CPU when idle, share of a core": _per(still.server, still.seconds, 1),
        }
        if settings.transport.startswith("ws-"):
            extra["answered a ping"] = alive.opened
        return [
            Result(
                scenario="idle",
                connections=settings.connections,
                seconds=still.seconds,
                errors=audited.errors,
                generator_busy=_per(still.generator, still.seconds * len(crew.pids), 1),
                others_busy=_per(still.others, still.seconds, 1),
                extra=extra,
            )
        ]

    def storm(self) -> list[Result]:
        """All connections cut at once, all back with their cursors: first with nothing missed, then with messages in flight."""
        settings = self._settings
        self._say(f"storm: {settings.connections} connections")
        results = []
        with self._pair_crew(settings.connections, (settings.transport, settings.transport)) as crew:
            crew.open(_OPEN_SECONDS)
            for missed in sorted({0, settings.missed}):
                before = crew.audit()
                meter = self._meter(crew)
                opened = crew.storm(missed=missed, seconds=120.0)
                spent = meter.spent(time.monotonic())
                time.sleep(_SETTLE)
                audited = crew.audit()
                results.append(_storm_result(crew, missed, opened, spent, before, audited))
        return results

    def transports(self) -> list[Result]:
        """The same load sent over WebSocket and received over each transport in turn. Half of the connections receive."""
        settings = self._settings
        results = []
        rate = settings.rate or 2000.0
        for transport in settings.transports:
            self._say(f"transports: {transport}")
            with self._pair_crew(settings.connections, ("ws-msgpack", transport)) as crew:
                crew.open(_OPEN_SECONDS)
                if settings.warmup:
                    crew.load(seconds=settings.warmup, rate=rate, window=1)
                results.append(
                    self._measured(
                        crew, "transports", f"{transport}, {rate:,.0f}/s", rate=rate, window=1, seconds=settings.seconds
                    )
                )
        return results

    def stored(self) -> list[Result]:
        """The cost of a message when the log holds 1,000, 10,000, ... events; it is filled over the wire, as in life."""
        settings = self._settings
        window = 2 * settings.window
        results = []
        with self._pair_crew(settings.connections, (settings.transport, settings.transport)) as crew:
            crew.open(_OPEN_SECONDS)
            loaded = crew.load(seconds=0.1, rate=100.0, window=1)
            step, fill_rate = 1000, 2000.0
            while step <= settings.stored:
                while loaded.position < step * 0.9:
                    missing = step - loaded.position
                    self._say(f"stored: {loaded.position:,} events, filling up to {step:,}")
                    seconds = min(20.0, max(0.05, 0.9 * missing / fill_rate))
                    loaded = crew.load(seconds=seconds, rate=None, window=window)
                    fill_rate = max(2000.0, loaded.acked * 1e6 / (loaded.ended - loaded.began))
                if loaded.position < step * 5:
                    result = self._measured(
                        crew,
                        "stored",
                        f"{loaded.position:,} events before",
                        rate=settings.rate,
                        window=window,
                        seconds=min(settings.seconds, max(0.5, step / fill_rate)),
                    )
                    results.append(result)
                    loaded = crew.load(seconds=0.1, rate=100.0, window=1)
                step *= 10
        return results


SCENARIOS: dict[str, Callable[[Bench], list[Result]]] = {
    "pairs": Bench.pairs,
    "group": Bench.group,
    "idle": Bench.idle,
    "storm": Bench.storm,
    "transports": Bench.transports,
    "stored": Bench.stored,
}


def _case(rate: float | None, otherwise: str) -> str:
    return otherwise if rate is None else f"{rate:,.0f}/s"


def _per(value: float | None, count: float, scale: float) -> float | None:
    return None if value is None or not count else value * scale / count


def _resident(pids: Sequence[int]) -> int | None:
    known = [kib for pid in pids if (kib := resident_kib(pid)) is not None]
    return sum(known) if known else None


def _less(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then


def _new_errors(before: Audited, after: Audited) -> dict[str, int]:
    return {
        kind: count - before.errors.get(kind, 0) for kind, count in after.errors.items() if count > before.errors.get(kind, 0)
    }


def _result(crew: Crew, scenario: str, case: str, loaded: Loaded, spent: Spent, before: Audited, after: Audited) -> Result:
    verdict = after.verdict - before.verdict
    seconds = (loaded.ended - loaded.began) / 1e6
    p50, p95, p99, worst = milliseconds(loaded.delays, 0.5, 0.95, 0.99, 1.0)
    errors = _new_errors(before, after)
    if loaded.sent > loaded.acked:
        errors["without an answer"] = loaded.sent - loaded.acked
    if not loaded.drained:
        errors["not all arrived in time"] = 1
    return Result(
        scenario=scenario,
        case=case,
        connections=crew.connections,
        messages=loaded.acked,
        deliveries=loaded.delivered,
        seconds=seconds,
        rate=loaded.acked / seconds,
        delivery_rate=loaded.delivered / seconds,
        server_cpu=spent.server,
        cpu_per_10k=_per(spent.server, loaded.acked, 10_000),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=worst,
        errors=errors,
        lost=verdict.lost,
        doubled=verdict.doubled,
        wrong=verdict.ghosts + after.strays - before.strays + after.disorder - before.disorder,
        generator_busy=_per(spent.generator, spent.seconds * len(crew.pids), 1),
        others_busy=_per(spent.others, spent.seconds, 1),
        extra={"latest tick ms": loaded.late / 1000} if loaded.late > 5000 else {},
    )


def _storm_result(crew: Crew, missed: int, opened: Opened, spent: Spent, before: Audited, after: Audited) -> Result:
    verdict = after.verdict - before.verdict
    p50, p95, p99, worst = milliseconds(opened.delays, 0.5, 0.95, 0.99, 1.0)
    errors = _new_errors(before, after)
    if opened.failed:
        errors["not back"] = opened.failed
    case = f"{missed} in flight in each pair" if missed else "nothing missed"
    return Result(
        scenario="storm",
        case=case,
        connections=crew.connections,
        seconds=spent.seconds,
        server_cpu=spent.server,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=worst,
        errors=errors,
        lost=verdict.lost,
        doubled=verdict.doubled,
        wrong=verdict.ghosts + after.strays - before.strays + after.disorder - before.disorder,
        generator_busy=_per(spent.generator, spent.seconds * len(crew.pids), 1),
        others_busy=_per(spent.others, spent.seconds, 1),
        extra={
            "CPU ms for each reconnect": _per(spent.server, opened.opened, 1000),
            "seconds until all were back": (opened.ended - opened.began) / 1e6,
            "attempts told to wait": opened.refused,
        },
    )
