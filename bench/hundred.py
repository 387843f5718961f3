"""A hundred nodes in one process: what following the log and presence cost each node, with the real code on a simulated bus.

    .venv/bin/python bench/hundred.py [--nodes 100] [--users 100000] [--seconds 10]

Every node has the real follower and the real attendance; the bus between them encodes each message once and decodes it at
each node, as NATS would have it done, and counts messages and bytes. Nobody is connected: delivery to people costs what it
costs on one node (docs/performance.md), whatever the number of nodes. The load is that of people at work: everybody sends so
many messages an hour and comes or goes so often, spread evenly; batches are those of a commit each 5 ms of each node that has
something to say.

Prints, for one node: messages and bytes a second that arrive, and the share of a core that taking them costs.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from hongyan.bus import Device, Message, Roster
from hongyan.bus.local import Ears
from hongyan.bus.messages import News, OnTheWire
from hongyan.config import Settings
from hongyan.core.model import Batch, Event
from hongyan.messaging.attendance import Attendance
from hongyan.messaging.log import Log

M = TypeVar("M", bound=Message)

CONTENT = b'{"type":"text","text":"' + "一会儿见，我把纪要发到群里。".encode() * 2 + b'"}'
LANES = tuple(f"conversation{number:012d}" for number in range(20))
COMMIT_SECONDS = 0.005


class Wire:
    """Everybody's bus: encodes once, and lets each node decode."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.encode = msgspec.msgpack.Encoder().encode
        self.decode = msgspec.msgpack.Decoder(OnTheWire).decode
        self.forget()

    def forget(self) -> None:
        self.messages: dict[str, int] = {"log": 0, "presence": 0}
        self.bytes: dict[str, int] = {"log": 0, "presence": 0}
        self.seconds: dict[str, float] = {"log": 0.0, "presence": 0.0}

    def send(self, origin: "Node", message: Message) -> None:
        kind = "log" if isinstance(message, Batch) else "presence"
        payload = self.encode(News(message) if isinstance(message, Batch) else message)
        self.messages[kind] += 1
        self.bytes[kind] += len(payload)
        began = time.process_time()
        for node in self.nodes:
            if node is not origin:
                found = self.decode(payload)
                node.ears.hear(found.batch if isinstance(found, News) else found)
        self.seconds[kind] += time.process_time() - began


class Node:
    """A bus's end, with the follower and the attendance that listen to it."""

    trouble = None
    alone = False

    def __init__(self, wire: Wire, name: str) -> None:
        self.ears = Ears()
        self._wire = wire
        store: Any = _NoStore()
        self.log = Log(store, self, Settings().log)
        self.listen(Batch, self.log._arrived)  # without the store behind it that `start` would open
        self.attendance = Attendance(store, self, name, lambda signal: None, ticks=time.monotonic)

    def listen(self, kind: type[M], heard: Callable[[M], None]) -> None:
        self.ears.listen(kind, heard)

    async def start(self, epoch: str, key: bytes, node: str) -> None: ...

    async def close(self) -> None: ...

    def publish(self, message: Message, to: str | None = None) -> None:
        self.ears.hear(message)
        if to is None:
            self._wire.send(self, message)


class _NoStore:
    epoch = "hundred"
    shared = True


def batch(first: int, count: int) -> Batch:
    places = range(first, first + count)
    events = [Event(at, LANES[at % 20], first, "message", "user00001", 1, f"{at:026d}", CONTENT) for at in places]
    return Batch(first, first + count - 1, events)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--messages-an-hour", type=float, default=20.0, help="of each user")
    parser.add_argument("--changes-an-hour", type=float, default=8.0, help="of presence, of each user")
    parser.add_argument("--seconds", type=float, default=5.0, help="of life that are simulated")
    args = parser.parse_args()
    asyncio.run(simulate(args))


async def simulate(args: argparse.Namespace) -> None:
    dice = random.Random(8)
    wire = Wire()
    wire.nodes = [Node(wire, f"node{number:03d}") for number in range(args.nodes)]
    for number, node in enumerate(wire.nodes):
        node.publish(Roster(f"node{number:03d}", 0, (), 0, 1))
    wire.forget()
    rate = args.users * args.messages_an_hour / 3600
    events = talk(wire, dice, rate * COMMIT_SECONDS, int(args.seconds / COMMIT_SECONDS))
    changes = int(args.users * args.changes_an_hour / 3600 * args.seconds)
    come_and_go(wire, dice, args.users, changes)
    if any(node.log.position != events for node in wire.nodes) or len({len(node.attendance) for node in wire.nodes}) != 1:
        raise SystemExit("the nodes do not agree")
    others = max(args.nodes - 1, 1)
    moves = changes / args.seconds
    print(f"{args.nodes} nodes, {args.users:,} users; each second {rate:,.0f} messages, {moves:,.0f} people come or go")
    print("| one node takes | messages/s | KiB/s | microseconds each | share of a core |")
    print("|---|---:|---:|---:|---:|")
    for kind in ("log", "presence"):
        sent, seconds = wire.messages[kind], wire.seconds[kind]
        each, share = seconds / max(sent * others, 1), seconds / others / args.seconds
        kib = wire.bytes[kind] / 1024 / args.seconds
        print(f"| {kind} | {sent / args.seconds:,.0f} | {kib:,.0f} | {each * 1e6:.1f} | {share:.3f} |")
    each = wire.seconds["log"] / max(events * others, 1)
    print(f"An event of another node costs a node {each * 1e6:.2f} microseconds")


def talk(wire: Wire, dice: random.Random, expected: float, turns: int) -> int:
    """In each turn nodes commit one after the other what their people sent meanwhile. Gives the events."""
    position = 0
    for _ in range(turns):
        count = int(expected) + (dice.random() < expected % 1)
        shares: dict[int, int] = {}
        for _ in range(count):
            at = dice.randrange(len(wire.nodes))
            shares[at] = shares.get(at, 0) + 1
        for at, mine in shares.items():
            wire.nodes[at].publish(batch(position + 1, mine))
            position += mine
    return position


def come_and_go(wire: Wire, dice: random.Random, users: int, changes: int) -> None:
    there = Device("laptop", "websocket", "online", 1_700_000_000_000)
    for _ in range(changes):
        user = dice.randrange(users)
        attendance, name = wire.nodes[user % len(wire.nodes)].attendance, f"user{user:07d}"
        attendance.tell(name, "online", None, () if attendance.nodes_of(name) else (there,), LANES)


if __name__ == "__main__":
    main()
