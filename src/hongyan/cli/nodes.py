"""`hongyan nodes`: who is there now in the cluster."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hongyan.cli.options import Commands, settings_of
from hongyan.cli.refused import Refused

if TYPE_CHECKING:
    from hongyan.bus import NodeInfo
    from hongyan.config import Settings

_LISTEN_SECONDS = 1.5
"""Each node says every second that it is there."""
_HEAD = ("NAME", "ID", "ADDRESSES", "VERSION", "UP SINCE", "CONNECTIONS", "USERS", "POSITION", "STATE")


def add(commands: Commands) -> None:
    parser = commands.add_parser("nodes", help="show the nodes of the cluster", allow_abbrev=False)
    parser.description = "Show the nodes that share the store and are there now. Ends with 1 when nobody answers."
    parser.add_argument("--bus", metavar="URL", help="where the nodes meet: nats://HOST:PORT")
    parser.add_argument("--watch", action="store_true", help="again every second, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="a JSON object a line for each node")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    settings = settings_of(given, bus=given.bus)
    if not settings.has_bus:
        raise Refused("There is no bus, so there is one node at most: give --store and --bus, or their settings")
    import asyncio

    return asyncio.run(_show(settings, watch=given.watch, json=given.json))


async def _show(settings: "Settings", *, watch: bool, json: bool) -> int:
    import asyncio

    from hongyan.operation.observing import observing

    async with observing(settings) as observer:
        await asyncio.sleep(_LISTEN_SECONDS)
        while True:
            nodes = observer.nodes()
            if not watch and not nodes:
                raise Refused(observer.trouble or "No node answers: none runs on this store and bus")
            if watch and sys.stdout.isatty() and not json:
                print("\x1b[H\x1b[2J", end="")
            print(_lines(nodes) if json else _table(nodes) if nodes else (observer.trouble or "No node answers"), flush=True)
            if not watch:
                return 0
            await asyncio.sleep(1.0)


def _lines(nodes: "Sequence[NodeInfo]") -> str:
    import msgspec

    return "\n".join(msgspec.json.encode(msgspec.structs.asdict(node)).decode() for node in nodes)


def _table(nodes: "Sequence[NodeInfo]") -> str:
    rows = [_HEAD, *(_row(node) for node in nodes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _row(node: "NodeInfo") -> tuple[str, ...]:
    since = datetime.fromtimestamp(node.started / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    addresses = ", ".join(f"{name} {address}" for name, address in sorted(node.addresses.items()))
    numbers = (str(node.sessions), str(node.users), str(node.position))
    return (node.name, node.id, addresses, node.version, since, *numbers, "ready" if node.ready else f"not ready: {node.reason}")
