"""`hongyan bench`: arguments, and running the chosen scenarios one after the other."""

import argparse
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from hongyan.bench.crew import BenchError
from hongyan.bench.figures import Result, as_json, table
from hongyan.bench.plan import TRANSPORTS
from hongyan.bench.scenarios import SCENARIOS, Bench, Settings
from hongyan.bench.setup import Rest, accounts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `hongyan bench`."""
    default = Settings()
    parser.description = (
        "Load a server and measure it: rate, CPU, delay, memory, and that every message comes exactly once. "
        "It writes messages as the given users, so use a server and users made for it."
    )
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"any of: {', '.join(SCENARIOS)} (default: pairs)")
    parser.add_argument("--server", required=True, metavar="URL", help="http://HOST:PORT, or several nodes with commas")
    parser.add_argument("--users", type=Path, metavar="FILE", help="a line for each user: name and password")
    parser.add_argument(
        "--tokens", type=Path, metavar="FILE", help="a line for each user: name and token; log-ins are added to it"
    )
    parser.add_argument(
        "--server-pid", type=int, action="append", default=[], metavar="PID", help="server process to measure; repeatable"
    )
    parser.add_argument("--connections", type=int, default=default.connections)
    parser.add_argument("--seconds", type=float, default=default.seconds, help="length of each measurement")
    parser.add_argument("--warmup", type=float, default=default.warmup, help="seconds of load before it that are not counted")
    parser.add_argument("--rate", type=float, help="messages a second; without it as fast as --window lets")
    parser.add_argument(
        "--window", type=int, default=default.window, help="messages in flight for each connection, or for each group"
    )
    parser.add_argument("--size", type=int, default=default.size, help="bytes of a text")
    parser.add_argument("--group-size", type=int, default=default.group_size)
    parser.add_argument(
        "--transport", choices=TRANSPORTS[:2], default=default.transport, help="for all scenarios but `transports`"
    )
    parser.add_argument("--transports", nargs="+", choices=TRANSPORTS, default=list(TRANSPORTS), help="for `transports`")
    parser.add_argument("--poll-interval", type=float, default=default.poll_interval, help="seconds between two short polls")
    parser.add_argument("--missed", type=int, default=default.missed, help="messages in flight in each pair when a storm begins")
    parser.add_argument("--stored", type=int, default=default.stored, help="fill the log up to this many events")
    parser.add_argument("--random-ids", action="store_true", help="random client ids instead of ones that grow with time")
    parser.add_argument(
        "--workers", type=int, default=len(os.sched_getaffinity(0)), help="generator processes (default: one a core)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")


def run(args: argparse.Namespace) -> int:
    """Run what the arguments say. 0: all clean; 1: errors, or messages lost or doubled; 2: could not run."""
    settings = Settings(
        connections=args.connections,
        seconds=args.seconds,
        warmup=args.warmup,
        rate=args.rate,
        window=args.window,
        size=args.size,
        group_size=args.group_size,
        transport=args.transport,
        transports=tuple(args.transports),
        poll_interval=args.poll_interval,
        missed=args.missed,
        stored=args.stored,
        random_ids=args.random_ids,
        workers=args.workers,
        server_pids=tuple(args.server_pid),
    )
    chosen = args.scenario or ["pairs"]
    unknown = [name for name in chosen if name not in SCENARIOS]
    if unknown:
        print(f"hongyan bench: no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    results: list[Result] = []
    status = 0
    try:
        with Rest(args.server) as rest:
            people = accounts(rest, args.users, args.tokens, settings.connections)
            bench = Bench(rest, people, settings, say)
            for name in chosen:
                results += SCENARIOS[name](bench)
    except BenchError as error:
        print(f"hongyan bench: {error}", file=sys.stderr)
        status = 2
    if results:
        print(table(results))
    if args.json is not None:
        args.json.write_bytes(as_json(results, about()))
    return status or int(not all(result.clean for result in results))


def say(text: str) -> None:
    """Progress, for people; figures alone go to the standard output."""
    print(f"  {text} ...", file=sys.stderr, flush=True)


def about() -> dict[str, Any]:
    """When and on what it was measured."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load average": round(os.getloadavg()[0], 2),
    }
