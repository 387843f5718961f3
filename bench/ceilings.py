"""The ceilings that the server's figures are read against, measured in the same run: bare echo, bare group commit."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import uvloop

from hongyan.bench.figures import Result
from hongyan.bench.links import Target
from hongyan.bench.procfs import Meter
from hongyan.bench.stamp import now_us
from hongyan.bench.wire import BINARY, FrameReader, frame, upgrade

HERE = Path(__file__).parent
_PAYLOAD = 150


def pinned(core: int | None) -> Callable[[], None] | None:
    """What a new process does before it begins, so that it stays on one core."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


class _Echoed(asyncio.Protocol):
    """One connection with one frame in flight."""

    def __init__(self, target: Target) -> None:
        self._hello = upgrade(target.authority, "/", "", "none")
        self._frame = frame(BINARY, b"x" * _PAYLOAD)
        self._reader = FrameReader()
        self.ready = asyncio.get_running_loop().create_future()
        self.echoes = 0
        self.running = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._hello)

    def start(self) -> None:
        self.running = True
        self.transport.write(self._frame)

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self.ready.set_result(None)
            return
        for _ in self._reader.feed(data):
            self.echoes += 1
            if self.running:
                self.transport.write(self._frame)


async def _echo(port: int, connections: int, seconds: float, pid: int) -> Result:
    target = Target("127.0.0.1", port)
    loop = asyncio.get_running_loop()
    protocols = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: _Echoed(target), target.host, target.port)
        await protocol.ready
        protocols.append(protocol)
    meter = Meter([pid], [os.getpid()], time.monotonic())
    began = now_us()
    for protocol in protocols:
        protocol.start()
    await asyncio.sleep(seconds)
    for protocol in protocols:
        protocol.running = False
    took = (now_us() - began) / 1e6
    spent = meter.spent(time.monotonic())
    count = sum(protocol.echoes for protocol in protocols)
    for protocol in protocols:
        protocol.transport.abort()
    server = spent.server or 0.0
    return Result(
        scenario="ceiling",
        case=f"bare echo, {_PAYLOAD} bytes",
        connections=connections,
        messages=count,
        seconds=took,
        rate=count / took,
        server_cpu=server,
        cpu_per_10k=server / count * 10_000,
        generator_busy=(spent.generator or 0.0) / spent.seconds,
        others_busy=None if spent.others is None else spent.others / spent.seconds,
    )


def echo(seconds: float, core: int | None) -> list[Result]:
    """Rate and CPU of the bare echo with 50 and 500 connections."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "echo.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pinned(core)
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        return [uvloop.run(_echo(port, connections, seconds, server.pid)) for connections in (50, 500)]


def commit(directory: Path, seconds: float, core: int | None) -> list[Result]:
    """Rate and CPU of bare group commits."""
    command = [sys.executable, str(HERE / "commit.py"), str(directory), str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds * 10 + 60, preexec_fn=pinned(core))
    return [
        Result(
            scenario="ceiling",
            case=f"bare commit, groups of {row['group']}",
            connections=0,
            seconds=seconds,
            rate=row["rate"],
            cpu_per_10k=row["cpu_per_10k"],
        )
        for row in json.loads(done.stdout)
    ]
