"""NATS is away: messages still cross, through the store; what is only true now is lost; and afterwards all is well by itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import administrator
from tests.clustering import Cluster, at, nodes_seen
from tests.counterparts.nats import Nats
from tests.e2e.devices import STREAMS, Crowd
from tests.serving import Shared, wait_for


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    with Nats(tmp_path / "nats") as nats:
        yield nats


@pytest.fixture
def cluster(nats: Nats, postgresql_url: str, tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path, Shared(postgresql_url, nats.url), 2) as cluster:
        yield cluster


def told_of_the_bus(cluster: Cluster) -> bool:
    """Every node is degraded, and says why."""
    answers = [node.health() for node in cluster.nodes]
    return all(
        (status, health["status"]) == (200, "degraded") and "bus" in " ".join(health["reasons"]) for status, health in answers
    )


@pytest.mark.parametrize("end", ["stop", "freeze"])
async def test_messages_cross_through_the_store_and_signals_come_back_with_the_bus(
    cluster: Cluster, nats: Nats, end: str
) -> None:
    one, other = cluster.nodes
    root = administrator(one)
    ann, bob = one.people("ann", "bob")
    lane = ann.direct("bob")
    async with Crowd(one) as here, Crowd(other) as there:
        readers = [await there.device(bob, transport) for transport in STREAMS]
        await here.device(ann, "json")
        (nats.stop if end == "stop" else nats.freeze)()
        await asyncio.to_thread(wait_for, lambda: told_of_the_bus(cluster), 15, "the reason in /health")
        assert cluster.metric("hongyan_bus_connected") == 0

        for number in range(30):
            await here.send(ann, lane, str(number))
        for reader in readers:
            await reader.until(lambda reader=reader: reader.texts(lane) == [str(number) for number in range(30)])  # type: ignore[misc]
        device = one.login("bob", device="phone")  # and a token is good there at once
        assert (await there.call(device, "GET", "/v1/me"))["id"] == "bob"
        lost = await there.device(device, "json")
        await here.call(device, "POST", "/v1/logout")
        assert (await lost.end())["do"] == "login"  # type: ignore[index]
        await here.call(ann, "POST", f"/v1/conversations/{lane}/typing", {"typing": True})
        assert await asyncio.to_thread(nodes_seen, root), "the others are left as they are"
        assert len(await asyncio.to_thread(nodes_seen, root)) == 2

        nats.revive()
        await asyncio.to_thread(wait_for, lambda: all(node.health()[1]["status"] == "ok" for node in cluster.nodes), 15)
        assert not [signal for reader in readers for signal in reader.signals if signal["type"] == "typing"]
        await here.call(ann, "POST", f"/v1/conversations/{lane}/typing", {"typing": True})
        for reader in readers[1:]:
            await reader.until(lambda reader=reader: [one for one in reader.signals if one["type"] == "typing"])  # type: ignore[misc]
        for node in cluster.nodes:
            there_now = at(root, node)
            await asyncio.to_thread(
                wait_for,
                lambda there_now=there_now: {u["id"] for u in there_now.call("GET", "/v1/online")["users"]} >= {"ann", "bob"},
            )


async def test_node_that_finds_no_bus_at_its_start_serves_and_joins_later(
    nats: Nats, postgresql_url: str, tmp_path: Path
) -> None:
    nats.stop()
    with Cluster(tmp_path, Shared(postgresql_url, nats.url), 2, start=False) as cluster:
        one, other = cluster.nodes
        for node in cluster.nodes:
            node.start()
        ann, bob = one.people("ann", "bob")
        lane = ann.direct("bob")
        assert told_of_the_bus(cluster)
        async with Crowd(one) as here, Crowd(other) as there:
            reader = await there.device(bob, "json")
            await here.send(ann, lane, "在吗")
            await reader.until(lambda: reader.texts(lane) == ["在吗"])
        nats.start()
        await asyncio.to_thread(wait_for, lambda: cluster.metric("hongyan_nodes") == 4, 15)
        assert cluster.health()[1]["status"] == "ok"
