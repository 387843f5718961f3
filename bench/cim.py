"""The CIM gateway: what an idle connection costs, and private messages through the route beside the native path, in one run.

    .venv/bin/python bench/cim.py                  # about two minutes
    .venv/bin/python bench/cim.py --quick

Both paths are one HTTP request for each message, answered when it is durable, with the receiver on a stream: `/p2pRoute` and a
frame over TCP, or `POST /v1/conversations/{id}/messages` and a WebSocket. The same pairs of people, the same text, one message of
each pair under way; every message has to arrive. The server has one core, the generator another.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import people  # noqa: E402
from hongyan.bench.command import say  # noqa: E402
from hongyan.bench.procfs import cpu_seconds, machine_busy_seconds, resident_kib  # noqa: E402
from run import HERE, server  # noqa: E402
from tests.counterparts.ports import held_port  # noqa: E402
from tests.gateways.cim.client import LOGIN, PING, Message, frame, frames  # noqa: E402

TEXT = "一会儿见，我把纪要发到群里。" * 3
AT_ONCE = 50


class Someone(NamedTuple):
    name: str
    token: str
    number: int


class Http:
    """One connection that stays open; small, so that the generator is not what is measured."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> "Http":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def post(self, path: str, body: Any, token: str = "") -> Any:
        data = json.dumps(body).encode()
        more = f"Authorization: Bearer {token}\r\n" if token else ""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{more}\r\n"
        self._writer.write(head.encode() + data)
        answered = await self._reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in answered.lower().split(b"\r\n") if line.startswith(b"content-length"))
        return json.loads(await self._reader.readexactly(length))

    def close(self) -> None:
        self._writer.close()


class Receiver:
    """A CIM client: counts the messages that come."""

    def __init__(self, someone: Someone) -> None:
        self._someone = someone
        self._rest = b""
        self.messages = 0

    async def open(self, port: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        one = self._someone
        self.writer.write(frame(Message(f"{one.name} {one.token}", one.number, LOGIN)) + frame(Message("ping", one.number, PING)))
        await self.read()

    async def read(self) -> None:
        data = await self.reader.read(65_536)
        if not data:
            raise SystemExit(f"{self._someone.name} was cut: see the server's log")
        found, self._rest = frames(self._rest + data)
        self.messages += sum(one.command != PING for one in found)

    async def count(self, wanted: int) -> None:
        while self.messages < wanted:
            await self.read()


async def together(work: list[Callable[[], Awaitable[Any]]], at_once: int = AT_ONCE) -> list[Any]:
    """All of it, so many at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[Any]]) -> Any:
        async with gate:
            return await call()

    return await asyncio.gather(*(one(call) for call in work))


async def numbered(tokens: Path, route: int) -> list[Someone]:
    pairs = [line.split() for line in tokens.read_text().splitlines()]
    links = [await Http(route).open() for _ in range(AT_ONCE)]

    async def some(link: Http, mine: list[list[str]]) -> list[Someone]:
        found = []
        for name, token in mine:
            answer = await link.post("/registerAccount", {"userName": name})
            found.append(Someone(name, token, answer["dataBody"]["userId"]))
        link.close()
        return found

    parts = await asyncio.gather(*(some(link, pairs[at::AT_ONCE]) for at, link in enumerate(links)))
    return sorted(one for part in parts for one in part)


def needs(found: float | None) -> float:
    if found is None:
        raise SystemExit("/proc is needed")
    return found


async def idle(everybody: list[Someone], port: int, pid: int) -> list[Receiver]:
    receivers = [Receiver(one) for one in everybody]
    before, cpu = needs(resident_kib(pid)), needs(cpu_seconds(pid))
    await together([lambda receiver=receiver: receiver.open(port) for receiver in receivers])
    spent = needs(cpu_seconds(pid)) - cpu
    await asyncio.sleep(2)
    each = (needs(resident_kib(pid)) - before) / len(receivers)
    log_in = spent / len(receivers) * 1e3
    print(f"| idle CIM connections, logged in | {len(receivers):,} | {each:.1f} KiB each | {log_in:.2f} CPU ms to log in |")
    cpu = needs(cpu_seconds(pid))
    await asyncio.sleep(5)
    print(f"| the same, 5 s of silence | | | {(needs(cpu_seconds(pid)) - cpu) / 5:.3f} of a core |")
    return receivers


async def run(
    name: str, pid: int, each: int, senders: list[Callable[[], Awaitable[None]]], arrived: Callable[[], Awaitable[Any]]
) -> None:
    """Every sender sends `each`, one after the other; then all of it has arrived."""
    total = each * len(senders)

    async def send(sender: Callable[[], Awaitable[None]]) -> None:
        for _ in range(each):
            await sender()

    cpu, busy, began = needs(cpu_seconds(pid)), needs(machine_busy_seconds()), time.monotonic()
    own = time.process_time()
    await asyncio.gather(*(send(sender) for sender in senders), arrived())
    took, spent = time.monotonic() - began, needs(cpu_seconds(pid)) - cpu
    mine = time.process_time() - own
    others = (needs(machine_busy_seconds()) - busy - spent - mine) / took
    print(
        f"| {name} | {total / took:,.0f} messages/s | {spent / total * 10_000:.2f} CPU s/10k "
        f"| generator {mine / took:.2f}, others {others:.2f} cores |"
    )


async def by_route(everybody: list[Someone], receivers: list[Receiver], route: int, pid: int, each: int, name: str) -> None:
    """From the first half of these to the second, who are connected."""
    half = len(everybody) // 2
    links = [await Http(route).open() for _ in range(half)]

    def sender(link: Http, one: Someone, other: Someone) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            answer = await link.post("/p2pRoute", {"userId": one.number, "receiveUserId": other.number, "msg": TEXT})
            if answer["code"] != "9000":
                raise SystemExit(f"not sent: {answer}")

        return send

    senders = [sender(*three) for three in zip(links, everybody[:half], everybody[half:], strict=True)]
    hearing = receivers[half:]
    goals = [receiver.messages + each for receiver in hearing]

    async def arrived() -> None:
        await asyncio.gather(*(receiver.count(goal) for receiver, goal in zip(hearing, goals, strict=True)))

    await run(name, pid, each, senders, arrived)
    for link in links:
        link.close()


async def natively(everybody: list[Someone], web: int, pid: int, each: int, name: str) -> None:
    """The same over REST and WebSockets."""
    half = len(everybody) // 2
    links = [await Http(web).open() for _ in range(half)]
    ids = iter(range(1 << 60))
    run_id = time.monotonic_ns()

    def sender(link: Http, one: Someone, lane: str) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            body = {"client_id": f"{run_id}-{next(ids)}", "content": {"type": "text", "text": TEXT}}
            answer = await link.post(f"/v1/conversations/{lane}/messages", body, one.token)
            if "seq" not in answer:
                raise SystemExit(f"not sent: {answer}")

        return send

    senders = []
    for link, one, other in zip(links, everybody[:half], everybody[half:], strict=True):
        made = await link.post("/v1/conversations", {"kind": "direct", "members": [other.name]}, one.token)
        senders.append(sender(link, one, made["id"]))
    sockets = [
        await connect(
            f"ws://127.0.0.1:{web}/v1/events/ws",
            additional_headers={"Authorization": f"Bearer {one.token}"},
            subprotocols=["hongyan.json"],  # type: ignore[list-item]
            compression=None,
        )
        for one in everybody[half:]
    ]

    async def hear(socket: Any) -> None:
        seen = 0
        while seen < each:
            answer = json.loads(await socket.recv())
            seen += sum(event["type"] == "message" for event in answer.get("events", ()))

    async def arrived() -> None:
        await asyncio.gather(*(hear(socket) for socket in sockets))

    await run(name, pid, each, senders, arrived)
    await asyncio.gather(*(socket.close() for socket in sockets))
    for link in links:
        link.close()


async def measure(port: int, route: int, web: int, pid: int, tokens: Path, pairs: int, each: int) -> None:
    everybody = await numbered(tokens, route)
    native, others = everybody[: 2 * pairs], everybody[2 * pairs :]
    print("| what | | | |\n|---|---|---|---|")
    receivers = await idle(others, port, pid)
    chatting, receivers = others[: 2 * pairs], receivers[: 2 * pairs]
    for turn in ("warm-up", "first", "second"):
        few = max(each // 10, 5) if turn == "warm-up" else each
        await by_route(chatting, receivers, route, pid, few, f"{turn}: route and TCP")
        await natively(native, web, pid, few, f"{turn}: REST and WebSocket")
        await asyncio.gather(*(ping(receiver) for receiver in receivers))


async def ping(receiver: Receiver) -> None:
    """Who only sends is silent otherwise."""
    receiver.writer.write(frame(Message("ping", 1, PING)))
    await receiver.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    count, pairs, each = (500, 50, 40) if args.quick else (10_000, 100, 200)
    cores = sorted(os.sched_getaffinity(0))
    core = cores[0] if len(cores) > 1 else None
    if core is not None:
        os.sched_setaffinity(0, cores[1:])
    print(f"load before: {os.getloadavg()}")
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-") as made, held_port() as tcp, held_port() as route:
        data = Path(made)
        say(f"{count} people")
        tokens = people.create(data, count)
        ports = [one.getsockname()[1] for one in (tcp, route)]
        ways = ("--cim", f"127.0.0.1:{ports[0]}", "--cim-route", f"127.0.0.1:{ports[1]}")
        with server(data, HERE / "server.toml", core, *ways) as (url, pid):
            asyncio.run(measure(*ports, int(url.rpartition(":")[2]), pid, tokens, pairs, each))


if __name__ == "__main__":
    main()
