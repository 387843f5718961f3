"""When nothing can be written any more: sends are refused, reading goes on, /health says why, and it ends by itself."""

import asyncio
import contextlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.devices import STREAMS, Crowd, Device
from tests.e2e.ledger import Ledger, log_of, send_again
from tests.serving import Person, Refused, Server, wait_for

MIB = 2**20
BIG = "满" * 5_000


class Disk(Protocol):
    """Where the data directory is, and how it gets full."""

    path: Path

    def fill(self, server: Server) -> None:
        """Leave room for a few messages."""

    def make_room(self, server: Server) -> None: ...


class LimitedFiles:
    """No file of the server may grow any more (RLIMIT_FSIZE), which needs no rights."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, server: Server) -> None:
        largest = max(file.stat().st_size for file in (self.path / "data").iterdir())
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest + MIB // 2, resource.RLIM_INFINITY))

    def make_room(self, server: Server) -> None:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class SmallDisk:
    """A file system of 32 MiB in memory, with a file that takes the room."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, server: Server) -> None:
        room = os.statvfs(self.path)
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - MIB)

    def make_room(self, server: Server) -> None:
        self._filler.unlink()


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[SmallDisk]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(path)], check=True, capture_output=True)
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextlib.contextmanager
def limited_files(path: Path) -> Iterator[LimitedFiles]:
    yield LimitedFiles(path)


def may_mount() -> bool:
    """Only root may, and not in every container."""
    words = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return os.geteuid() == 0 and subprocess.run(words, capture_output=True).returncode == 0


@pytest.fixture(params=[limited_files, small_disk] if may_mount() else [limited_files])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    opened: Callable[[Path], contextlib.AbstractContextManager[Disk]] = request.param
    with opened(tmp_path) as disk:
        yield disk


async def test_full_disk_refuses_sends_loses_nothing_and_recovers_by_itself(disk: Disk) -> None:
    with Server(disk.path / "data", LOG_CHECKPOINT_PAGES="50") as server:
        ann, bob = server.people("ann", "bob")
        lane = ann.direct("bob")
        cursor = bob.cursor()
        ledger = Ledger()
        async with Crowd(server) as crowd:
            live = [await crowd.device(bob, transport, cursor) for transport in STREAMS]
            for _ in range(2):
                disk.fill(server)
                before = len(ledger.acked)
                errors = await asyncio.gather(*(until_refused(crowd, ledger, ann, lane, BIG) for _ in range(5)))
                errors.append(await until_refused(crowd, ledger, ann, lane, "小"))
                assert {(error.status, error.code) for error in errors} == {(503, "store-unavailable")}
                assert all(error.problem["header"] >= 1 for error in errors)
                assert len(ledger.acked) > before

                status, health = server.health()
                assert (status, health["status"]) == (503, "down")
                assert any("full" in reason or "I/O" in reason for reason in health["reasons"]), health
                for device in live:
                    await device.given(len(ledger.acked))
                reads_as_ever(bob, lane, cursor, len(ledger.acked))
                await refuses_every_change(live[-1], ann, bob, lane)
                reads_as_ever(bob, lane, cursor, len(ledger.acked))

                assert all(len(device.events) == len(ledger.acked) for device in live)
                disk.make_room(server)
                wait_for(lambda: server.health()[0] == 200, what="recovery without anybody's doing")
                await send_again(crowd, ledger, ledger.unknown)
            assert len(ledger.acked) == len(ledger.sent)
            ledger.compare(log_of(server))
            server.kill()
            server.start()
            reads_as_ever(bob, lane, cursor, len(ledger.acked))
            ledger.compare(log_of(server))


async def until_refused(crowd: Crowd, ledger: Ledger, person: Person, lane: str, text: str) -> Refused:
    while True:
        client_id = ledger.new(person, lane, text)
        try:
            ledger.ack(client_id, await crowd.send(person, lane, ledger.sent[client_id].text, client_id))
        except Refused as error:
            return error


async def refuses_every_change(device: Device, ann: Person, bob: Person, lane: str) -> None:
    assert device.socket is not None
    with pytest.raises(Refused, match="store-unavailable"):
        await device.socket.send(lane, "小")
    head = bob.history(lane)[-1]["seq"]
    changes: list[Callable[[], object]] = [
        lambda: ann.send(lane, "小"),
        lambda: ann.group("小", "bob"),
        lambda: bob.call("POST", f"/v1/conversations/{lane}/read", {"seq": head}),
        lambda: bob.server.login("bob"),
    ]
    for change in changes:
        with pytest.raises(Refused, match="store-unavailable"):
            change()


def reads_as_ever(person: Person, lane: str, cursor: str, count: int) -> None:
    assert len(person.events_after(cursor)) == count
    assert person.history(lane, limit=1000)[-1]["seq"] == count + 1
    (shown,) = (one for one in person.snapshot()["conversations"] if one["id"] == lane)
    assert (shown["head_seq"], shown["unread"]) == (count + 1, min(count, 1000))
    assert person.call("GET", "/v1/me")["id"] == person.id
