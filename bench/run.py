"""Measure a server of one's own, and the ceilings beside it, in one run. Ends by itself and leaves nothing behind.

    .venv/bin/python bench/run.py                 # everything, about four minutes
    .venv/bin/python bench/run.py --quick         # a look at each scenario, under a minute
    .venv/bin/python bench/run.py pairs half-load # some of it

The server gets one core to itself and the generator another, when the machine has two. Every scenario begins with a fresh
server process on the same data directory, so that its memory and caches are its own.
"""

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ceilings
from hongyan.bench.command import about, say
from hongyan.bench.crew import BenchError
from hongyan.bench.figures import Result, as_json, table
from hongyan.bench.scenarios import SCENARIOS, Bench, Settings
from hongyan.bench.setup import Account, Rest, accounts
from people import create

HERE = Path(__file__).parent
HONGYAN = [sys.executable, "-m", "hongyan.cli"]
_START_SECONDS = 30.0


class Case:
    """A line of the run: a scenario with its settings, as fractions of the wanted length."""

    def __init__(self, name: str, scenario: str, people: int, settings: Callable[[Settings], Settings]) -> None:
        self.name = name
        self.scenario = scenario
        self.people = people
        self.settings = settings


def cases(quick: bool) -> list[Case]:
    """What a run measures, in its order: memory first, since a fresh log has nothing in its caches."""
    from msgspec.structs import replace

    seconds = 1.5 if quick else 6.0
    idle = 1000 if quick else 10_000
    storm = 500 if quick else 5000

    def with_(**changes: object) -> Callable[[Settings], Settings]:
        return lambda settings: replace(settings, seconds=seconds, **changes)

    return [
        Case("idle", "idle", idle, with_(connections=idle)),
        Case("pairs", "pairs", 500, with_(window=2)),
        Case("random-ids", "pairs", 500, with_(window=2, random_ids=True)),
        Case("half-load", "pairs", 500, with_(rate=10_000.0)),
        Case("group", "group", 500, with_(window=4)),
        Case("group-half", "group", 500, with_(rate=600.0)),
        Case("storm", "storm", storm, with_(connections=storm)),
        Case("transports", "transports", 500, with_(rate=2000.0)),
        Case("stored", "stored", 500, with_(stored=10_000 if quick else 1_000_000, rate=5000.0)),
    ]


@contextmanager
def server(data: Path, config: Path, core: int | None, *shared: str) -> Iterator[tuple[str, int]]:
    """A server process on a free port: its address and process id. It is stopped at the end, killed if it does not stop.

    `shared` are the options of a store and a bus.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*HONGYAN, "serve", "--data", str(data), "--http", f"127.0.0.1:{port}", "--config", str(config), *shared]
    with (data / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=ceilings.pinned(core))
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _healthy(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError("The server did not start:\n" + (data / "server.log").read_text()[-2000:])
            time.sleep(0.1)
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def measure(case: Case, data: Path, config: Path, core: int | None, workers: int) -> list[Result]:
    """One line of the run on a fresh server process."""
    say(f"[{case.name}]")
    with server(data, config, core) as (url, pid), Rest(url) as rest:
        people: list[Account] = accounts(rest, None, data / "tokens", case.people)
        settings = case.settings(Settings(workers=workers, server_pids=(pid,)))
        return SCENARIOS[case.scenario](Bench(rest, people, settings, say))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help=f"{', '.join(case.name for case in cases(False))}, ceilings (default: all)")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that everything works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--directory", type=Path, help="where the temporary data directory is made; its disk is what is measured")
    args = parser.parse_args()
    chosen = [case for case in cases(args.quick) if not args.case or case.name in args.case]
    cores = sorted(os.sched_getaffinity(0))
    core = cores[0] if len(cores) > 1 else None
    if core is not None:
        os.sched_setaffinity(0, cores[1:])
    results: list[Result] = []
    status = 0
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-", dir=args.directory) as made:
        data = Path(made)
        config = HERE / "server.toml"
        try:
            if not args.case or "ceilings" in args.case:
                say("[ceilings]")
                seconds = 0.5 if args.quick else 2.0
                results += ceilings.echo(seconds, core) + ceilings.commit(data, seconds, core)
            if chosen:
                create(data, max(case.people for case in chosen))
            for case in chosen:
                results += measure(case, data, config, core, max(1, len(cores) - 1))
        except BenchError as error:
            print(error, file=sys.stderr)
            status = 2
    print(table(results))
    if args.json is not None:
        args.json.write_bytes(as_json(results, about()))
    return status or int(not all(result.clean for result in results))


if __name__ == "__main__":
    sys.exit(main())
