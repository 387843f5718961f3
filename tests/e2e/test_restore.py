"""Rule 5: a copy taken under load, put back: nobody goes on from a cursor of the history that is gone, everybody is told."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.devices import TRANSPORTS, Crowd, place
from tests.e2e.ledger import Ledger, log_of, send_again, under_load
from tests.serving import Person, Refused, Server

Stopped = tuple[Server, Person, Path]


async def test_restored_copy_tells_every_old_cursor_to_begin_anew_and_goes_on(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        people = ann, bob, _ = server.people("ann", "bob", "cai")
        lane = ann.group("项目组", "bob", "cai")
        ledger, copy = Ledger(), tmp_path / "copy.db"
        async with Crowd(server) as crowd:
            async with under_load(crowd, ledger, people, [lane]) as load:
                await load.acknowledged(500)
                kept, early = dict(ledger.acked), bob.cursor()
                assert (await asyncio.to_thread(server.command, "backup", str(copy))).returncode == 0
                await load.acknowledged(500)
            await send_again(crowd, ledger, ledger.unknown)
            late = ann.send(lane, "后来的")
            old = bob.cursor()
            assert place(old) >= late["position"]

            assert server.command("restore", str(copy)).returncode == 1  # it runs
            assert server.stop() == 0
            assert server.command("restore", str(copy)).returncode == 0
            server.start()

            log = log_of(server)
            head, there = log[-1].position, {event.client_id: event for event in log}
            assert head < late["position"]
            assert {id: (there[id].seq, there[id].position) for id in kept} == kept
            assert len([event for event in log if event.type == "message"]) >= len(kept)
            for cursor in (old, early):  # `early` is a position that is there, of another history
                for transport in TRANSPORTS:
                    device = await crowd.device(bob, transport, cursor)
                    assert (device.limited, device.events, device.at) == (["epoch"], [], head)
                    assert device.cursor is not None
                    assert device.cursor.rpartition(".")[0] != cursor.rpartition(".")[0]
            loaded = bob.snapshot()
            sent = ann.send(lane, "从这里继续")
            assert sent["position"] == head + 1
            for device in crowd.devices[-2 * len(TRANSPORTS) :]:
                await device.given(1)
                assert device.texts(lane) == ["从这里继续"]
            for transport in TRANSPORTS:
                device = await crowd.device(bob, transport, loaded["cursor"])
                await device.given(1)
                assert (device.texts(lane), device.limited) == (["从这里继续"], [])

            lost = [client_id for client_id in ledger.acked if client_id not in there]
            assert lost
            for client_id in lost[:20]:  # what the copy does not have can be sent again, and what it has not
                answer = ledger.sent[client_id].person.send(lane, "再发", client_id)
                assert answer["position"] > head
            for client_id in list(kept)[:20]:
                answer = ledger.sent[client_id].person.send(lane, "再发", client_id)
                assert (answer["seq"], answer["position"]) == kept[client_id]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    path = tmp_path_factory.mktemp("restore")
    with Server(path / "data") as server:
        (ann,) = server.people("ann")
        ann.send("lobby", "一")
        assert server.command("backup", str(path / "copy.db")).returncode == 0
        ann.send("lobby", "二")
        yield server, ann, path / "copy.db"


@pytest.fixture
def stopped(made: Stopped) -> Stopped:
    """A server that is not running, somebody who has written two messages, and a copy of the data with one."""
    if made[0].runs:
        made[0].stop()
    return made


def test_what_was_there_before_a_restore_is_kept_beside_it(stopped: Stopped) -> None:
    server, ann, copy = stopped
    done = server.command("restore", str(copy))
    assert done.returncode == 0, done.stderr
    (aside,) = server.data.glob("hongyan.db.before-restore-*")
    assert aside.name in done.stdout
    server.start()
    assert ann.texts("lobby") == ["一"]
    server.stop()
    assert server.command("restore", str(aside)).returncode == 0
    server.start()
    assert ann.texts("lobby") == ["一", "二"]


def test_copy_that_is_none_is_refused_and_changes_nothing(stopped: Stopped) -> None:
    server, ann, copy = stopped
    faults = {name: copy.with_name(name) for name in ("not there", "no database", "cut off", "another program's")}
    faults["no database"].write_bytes(b"something else" * 1000)
    faults["cut off"].write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    with contextlib.closing(sqlite3.connect(faults["another program's"])) as other, other:
        other.execute("CREATE TABLE events (position)")
    before = {path.name: path.read_bytes() for path in server.data.glob("hongyan.db*")}
    for fault in faults.values():
        done = server.command("restore", str(fault))
        assert done.returncode == 1
        assert str(fault) in done.stderr
        assert "Traceback" not in done.stderr
        assert {path.name: path.read_bytes() for path in server.data.glob("hongyan.db*")} == before
    server.start()
    assert ann.texts("lobby") == ["一", "二"]


def test_copy_is_not_written_over_and_wrong_calls_end_with_two(stopped: Stopped) -> None:
    server, _, copy = stopped
    before = copy.read_bytes()
    done = server.command("backup", str(copy))
    assert (done.returncode, copy.read_bytes()) == (1, before)
    assert "there already" in done.stderr
    assert server.command("backup", str(copy.parent / "no" / "where.db")).returncode == 1
    assert server.command("backup").returncode == 2
    assert server.command("restore", "--force", str(copy)).returncode == 2


def test_token_made_after_the_copy_is_none_after_the_restore(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        (ann,) = server.people("ann")
        assert server.command("backup", str(tmp_path / "copy.db")).returncode == 0
        later = server.login("ann")
        server.stop()
        assert server.command("restore", str(tmp_path / "copy.db")).returncode == 0
        server.start()
        assert ann.call("GET", "/v1/me")["id"] == "ann"
        with pytest.raises(Refused, match="not-authenticated"):
            later.call("GET", "/v1/me")
