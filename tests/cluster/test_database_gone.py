"""PostgreSQL is away: nothing that was acknowledged is lost, everybody is told what is not known, and it ends by itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clustering import Cluster
from tests.counterparts.postgresql import PostgreSQL
from tests.e2e.devices import Crowd
from tests.e2e.ledger import Ledger, Load, log_of, send_again
from tests.serving import Shared, wait_for

KNOWN = {"store-unavailable", "outcome-unknown", "overloaded"}


@pytest.fixture
def postgresql(postgresql_server: PostgreSQL) -> Iterator[PostgreSQL]:
    yield postgresql_server
    postgresql_server.revive()


@pytest.fixture
def cluster(postgresql: PostgreSQL, shared: Shared, tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path, shared, 2) as cluster:
        yield cluster


@pytest.mark.parametrize("end", ["kill", "freeze"])
async def test_nothing_acknowledged_is_lost_and_health_says_why(cluster: Cluster, postgresql: PostgreSQL, end: str) -> None:
    one, other = cluster.nodes
    ann, bob = one.people("ann", "bob")
    lane = ann.group("项目组", "bob")
    cursor, ledger = bob.cursor(), Ledger()
    async with Crowd(one) as here, Crowd(other) as there:
        reader = await there.device(bob, "json", cursor)
        async with Load(here, ledger) as left, Load(there, ledger) as right:
            for load, person in ((left, ann), (right, bob)):
                load.rest(person, [lane], at_once=3)
                load.websocket(person, [lane], at_once=10)
            await left.acknowledged(200)
            (postgresql.kill if end == "kill" else postgresql.freeze)()
            await asyncio.to_thread(wait_for, lambda: all(down(node.health()) for node in cluster.nodes), 30, "503 of both")
            await wait_until(lambda: bool(ledger.refused))
            assert set(ledger.refused) <= KNOWN, ledger.refused
            postgresql.revive()
            await asyncio.to_thread(wait_for, lambda: all(node.health()[0] == 200 for node in cluster.nodes), 30, "recovery")
            await left.acknowledged(100)
            await right.acknowledged(100)
        assert set(ledger.refused) <= KNOWN, ledger.refused
        await send_again(there, ledger, ledger.unknown)
        log = log_of(cluster)
        ledger.compare(log)
        if reader.ended:
            await reader.connect("json")
        await reader.reached(log[-1].position)
        assert [event["seq"] for event in reader.events if event["conversation"] == lane] == [
            event.seq for event in log if event.lane == lane and event.seq > 1
        ]
    assert "Traceback" not in cluster.output()


def down(answer: tuple[int, dict[str, object]]) -> bool:
    status, health = answer
    return status == 503 and bool(health["reasons"])


async def wait_until(condition: object) -> None:
    async with asyncio.timeout(30):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.05)
