"""One embedded node, one node on PostgreSQL and NATS, two nodes: side by side in one run. Everything is started here and stopped.

    .venv/bin/python bench/cluster.py                  # about three minutes
    .venv/bin/python bench/cluster.py --quick
    .venv/bin/python bench/cluster.py --rate 1500      # the load of the second half, messages a second

Each set-up is first loaded as fast as it goes, then at `--rate`, with pairs whose two people are on different nodes, and with
groups of 100 spread over the nodes. The generator has one core, everything else the other, so rates fall as more processes
share it: read the CPU seconds for 10,000 messages, of the nodes together and, below the table, of each process.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import people  # noqa: E402
from hongyan.bench.command import about, say  # noqa: E402
from hongyan.bench.crew import BenchError  # noqa: E402
from hongyan.bench.figures import Result, as_json, table  # noqa: E402
from hongyan.bench.scenarios import SCENARIOS, Bench, Settings  # noqa: E402
from hongyan.bench.setup import Rest, accounts  # noqa: E402
from run import HERE, server  # noqa: E402
from tests.counterparts.nats import Nats  # noqa: E402
from tests.counterparts.postgresql import PostgreSQL  # noqa: E402

PEOPLE = 500


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """What is started inside runs on this core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(
    name: str, data: Path, core: int | None, nodes: int, shared: tuple[str, ...], settings: Settings, rates: list[float | None]
) -> list[Result]:
    """The cases of one set-up."""
    data.mkdir()
    tokens = people.create(data, PEOPLE, *shared[:2])
    results = []
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(server(data, HERE / "server.toml", core, *shared)) for _ in range(nodes)]
        rest = stack.enter_context(Rest(",".join(url for url, _ in started)))
        known = accounts(rest, None, tokens, PEOPLE)
        settings = replace(settings, server_pids=tuple(pid for _, pid in started))
        for scenario, share in (("pairs", 1.0), ("group", 0.06)):
            for rate in rates:
                say(f"[{name}] {scenario} {rate or 'as fast as it goes'}")
                bench = Bench(rest, known, replace(settings, rate=rate and rate * share), say)
                results += [replace(one, case=f"{name}: {one.case}") for one in SCENARIOS[scenario](bench)]
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rate", type=float, default=1_500.0)
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each measurement")
    parser.add_argument("--only", choices=("embedded", "one node", "two nodes"), help="one of the set-ups")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    core = cores[0] if len(cores) > 1 else None
    if core is not None:
        os.sched_setaffinity(0, cores[1:])
    settings = Settings(seconds=1.5 if args.quick else args.seconds, workers=1)
    rates: list[float | None] = [None, args.rate]
    results: list[Result] = []
    status = 0
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-") as made, contextlib.ExitStack() as stack:
        place = Path(made)
        with pinned(core):
            database = stack.enter_context(PostgreSQL(place / "postgresql"))
            bus = stack.enter_context(Nats(place / "nats"))
        beside = replace(settings, beside=(("PostgreSQL", database.pid), ("NATS", bus.pid)))
        try:
            if args.only in (None, "embedded"):
                results += measure("embedded", place / "embedded", core, 1, (), settings, rates)
            for name, nodes in (("one node", 1), ("two nodes", 2)):
                if args.only not in (None, name):
                    continue
                shared = ("--store", database.new_database(), "--bus", bus.url)
                results += measure(name, place / name, core, nodes, shared, beside, rates)
        except (BenchError, subprocess.SubprocessError) as error:
            print(error, file=sys.stderr)
            status = 2
    print(table(results))
    if args.json is not None:
        args.json.write_bytes(as_json(results, about()))
    return status or int(not all(result.clean for result in results))


if __name__ == "__main__":
    sys.exit(main())
