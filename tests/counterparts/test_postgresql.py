"""PostgreSQL comes back after a kill with what was committed, and leaves nothing."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.counterparts.postgresql import PostgreSQL
from tests.serving import wait_for


def processes(server: PostgreSQL) -> list[psutil.Process]:
    first = psutil.Process(server.pid)
    return [first, *first.children(recursive=True)]


async def test_committed_row_is_there_after_a_kill(postgresql_server: PostgreSQL, empty_postgresql_url: str) -> None:
    port, connection = postgresql_server.port, await asyncpg.connect(empty_postgresql_url)
    await connection.execute("CREATE TABLE rows (number int)")
    await connection.execute("INSERT INTO rows VALUES (8440)")
    alive = processes(postgresql_server)
    assert len(alive) > 3
    postgresql_server.kill()
    assert not any(process.is_running() for process in alive)
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(empty_postgresql_url)
    postgresql_server.start()
    assert postgresql_server.port == port
    again = await asyncpg.connect(empty_postgresql_url)
    assert await again.fetchval("SELECT number FROM rows") == 8440
    await again.close()
    connection.terminate()


async def test_stop_and_start_on_the_same_port(postgresql_server: PostgreSQL, empty_postgresql_url: str) -> None:
    assert postgresql_server.stop() == 0
    assert not postgresql_server.runs
    postgresql_server.start()
    connection = await asyncpg.connect(empty_postgresql_url)
    await connection.close()


async def test_frozen_it_answers_nobody(postgresql_server: PostgreSQL, empty_postgresql_url: str) -> None:
    connection = await asyncpg.connect(empty_postgresql_url)
    postgresql_server.freeze()
    assert {process.status() for process in processes(postgresql_server)} == {psutil.STATUS_STOPPED}
    answer = asyncio.ensure_future(connection.fetchval("SELECT 1"))
    done, _ = await asyncio.wait([answer], timeout=0.1)
    assert not done
    postgresql_server.thaw()
    assert await answer == 1
    await connection.close()


async def test_every_database_is_fresh_and_dropped_with_its_connections(postgresql_server: PostgreSQL) -> None:
    one, other = postgresql_server.new_database(), postgresql_server.new_database()
    assert one != other
    connection = await asyncpg.connect(one)
    await connection.execute("CREATE TABLE here (number int)")
    beside = await asyncpg.connect(other)
    assert await beside.fetchval("SELECT to_regclass('here')") is None
    for url in (one, other):
        postgresql_server.drop_database(url)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(one)
    for open_connection in (connection, beside):
        open_connection.terminate()


def test_settings(tmp_path: Path, postgresql_server: PostgreSQL) -> None:
    names = ("fsync", "full_page_writes", "synchronous_commit", "max_connections", "listen_addresses")
    with PostgreSQL(tmp_path, durable=False) as fast:
        for server, switch in ((postgresql_server, "on"), (fast, "off")):
            values = [server.execute(f"SHOW {name}", "hongyan") for name in names]
            assert values == [switch, switch, "on", "200", "127.0.0.1"]


@pytest.mark.parametrize("end", ["running", "frozen", "killed"])
def test_leaves_nothing(tmp_path: Path, end: str) -> None:
    with PostgreSQL(tmp_path, durable=False) as server:
        alive = processes(server)
        folder = server.data.parent
        segments = shared_memory_of(server)
        assert segments
        if end == "frozen":
            server.freeze()
        if end == "killed":
            server.kill()
    assert not any(process.is_running() for process in alive)
    assert not folder.exists()
    assert not segments & all_shared_memory()


def test_reason_of_a_failed_start_is_told(tmp_path: Path) -> None:
    with PostgreSQL(tmp_path, durable=False) as server:
        server.stop()
        (server.data / "PG_VERSION").write_text("7.4\n")
        with pytest.raises(AssertionError, match="incompatible with server"):
            server.start()


_TEST_THAT_IS_KILLED = """
import sys
from pathlib import Path
from tests.counterparts.postgresql import PostgreSQL

with PostgreSQL(Path(sys.argv[1]), durable=False) as server:
    print(server.pid, server.data.parent, flush=True)
    if sys.argv[2] == "frozen":
        server.freeze()
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("state", ["running", "frozen"])
def test_dies_with_the_process_of_the_test(tmp_path: Path, state: str) -> None:
    command = [sys.executable, "-c", _TEST_THAT_IS_KILLED, str(tmp_path), state]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as test:
        assert test.stdout is not None
        pid, folder = test.stdout.readline().split()
        first = psutil.Process(int(pid))
        alive = [first, *first.children(recursive=True)]
        assert test.stdout.readline() == "ready\n"
        test.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(process.is_running() for process in alive))
    with PostgreSQL(tmp_path, durable=False):
        assert not Path(folder).exists()


def shared_memory_of(server: PostgreSQL) -> set[str]:
    return {line.split()[1] for line in system_v() if line.split()[4] == str(server.pid)}


def all_shared_memory() -> set[str]:
    return {line.split()[1] for line in system_v()}


def system_v() -> list[str]:
    """key, shmid, perms, size, cpid, ..."""
    return Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
