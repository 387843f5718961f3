"""Nodes that die, stand still, or are stopped one after the other."""

import asyncio
import contextlib
import json
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.cluster.conftest import administrator
from tests.clustering import Cluster, at, nodes_seen
from tests.e2e.devices import Crowd, Device
from tests.e2e.ledger import log_of
from tests.e2e.sockets import Lost, authorization
from tests.serving import Person, Refused, Server, Shared, new_client_id, wait_for

STREAMS = ("sse", "json", "msgpack")


async def test_killed_node_is_gone_within_5_seconds_and_so_are_its_people(own: Cluster) -> None:
    one, other = own.nodes
    root = administrator(one)
    ann, bob, cai = one.people("ann", "bob", "cai")
    for friend in ("ann", "cai"):
        bob.direct(friend)
    async with Crowd(one) as here, Crowd(other) as there:
        reader = await here.device(bob, "json")
        await there.device(ann, "json")
        await there.device(cai, "json")
        twin = await here.device(cai, "sse")
        await reader.until(lambda: {"ann", "cai"} <= {one["user"] for one in reader.signals if one["type"] == "presence"})
        await reader.until(lambda: sum(len(s["devices"]) for s in reader.signals if s.get("user") == "cai") >= 2)
        other.kill()
        killed = time.monotonic()
        await reader.until(lambda: ("ann", "offline") in {(one["user"], one.get("status")) for one in reader.signals}, 5)
        assert time.monotonic() - killed < 5
        assert list(await asyncio.to_thread(nodes_seen, root)) == ["node1"]
        shown = {user["id"]: len(user["devices"]) for user in (await here.call(bob, "GET", "/v1/online"))["users"]}
        assert shown == {"bob": 1, "cai": 1}, "who is on another node too stays"
        assert ("cai", "offline") not in {(one["user"], one.get("status")) for one in reader.signals}
        other.start()
        await asyncio.to_thread(wait_for, lambda: set(nodes_seen(root)) == {"node1", "node2"})
        assert not twin.ended


async def test_node_that_is_told_to_stop_sends_its_people_to_the_other_and_nothing_is_lost(own: Cluster) -> None:
    """A rolling restart: one node after the other, while somebody writes without a pause."""
    one, other = own.nodes
    root = administrator(one)
    ann, bob = one.people("ann", "bob")
    lane = ann.group("项目组", "bob")
    async with Crowd(one) as here, Crowd(other) as there:
        crowds = {one: here, other: there}
        readers = [await crowd.device(bob, transport) for crowd in (here, there) for transport in STREAMS]  # type: ignore[arg-type]
        begin, sent = asyncio.Event(), list[str]()
        writing = asyncio.create_task(write(ann, [one, other], lane, sent, begin))
        for leaving, staying in ((one, other), (other, one)):
            await begin.wait()
            leavers = [reader for reader in readers if reader._crowd is crowds[leaving]]
            leaving.signal(signal.SIGTERM)
            began = time.monotonic()
            ends = await asyncio.gather(*(reader.end() for reader in leavers))
            assert [how["do"] for how in ends if isinstance(how, dict)] == ["resume"] * len(leavers), ends
            for reader in leavers:
                reader._crowd = crowds[staying]
            await asyncio.gather(*(reader.connect(reader.transport) for reader in leavers))  # type: ignore[arg-type]
            assert time.monotonic() - began < 3, "the way to the other node is one round trip"
            seen = await asyncio.to_thread(nodes_seen, at(root, staying))
            assert not seen.get(leaving.data.name, {"ready": False})["ready"]
            assert await asyncio.to_thread(leaving.wait) == 0
            await asyncio.to_thread(leaving.start)
            await asyncio.to_thread(wait_for, lambda: own.metric("hongyan_nodes") == 4, what="both nodes")
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
        last = await here.send(ann, lane, "末")
        for reader in readers:
            await reader.reached(last["position"])
            assert reader.limited == []
            assert reader.texts(lane) == [*sent_in_log(one, lane)]
        stored = [text for text in sent_in_log(one, lane) if text != "末"]
        assert stored[: len(sent)] == sent
        assert len(stored) <= len(sent) + 1, "the one that was on its way at the end may be there"


def sent_in_log(node: Server, lane: str) -> list[str]:
    return [json.loads(event.content)["text"] for event in log_of(node) if event.lane == lane and event.type == "message"]


async def write(person: Person, nodes: list[Server], lane: str, sent: list[str], begun: asyncio.Event) -> None:
    """One message after the other; what fails is sent again to the next node, with the same id, until it is acknowledged."""
    turn = 0
    async with httpx.AsyncClient(timeout=5) as http:
        while True:
            text, client_id = f"{len(sent)}", new_client_id()
            while True:
                url = f"{nodes[turn % len(nodes)].url}/v1/conversations/{lane}/messages"
                body = {"client_id": client_id, "content": {"type": "text", "text": text}}
                with contextlib.suppress(httpx.TransportError):
                    answer = await http.post(url, json=body, headers=authorization(person))
                    if answer.status_code < 300:
                        break
                    assert answer.status_code == 503, answer.text
                turn += 1
                await asyncio.sleep(0.01)
            sent.append(text)
            begun.set()


async def test_node_that_stops_admits_nobody_and_a_health_check_sees_it(own: Cluster) -> None:
    one, other = own.nodes
    (ann,) = one.people("ann")
    async with Crowd(other) as there:
        busy = await there.device(ann, "json")
        other.signal(signal.SIGTERM)
        assert (await busy.end())["do"] == "resume"  # type: ignore[index]
        with contextlib.suppress(httpx.TransportError):
            assert other.health()[0] == 503
        device = Device(there, ann)
        device.begin("sse")
        with contextlib.suppress(Lost):
            how = await device.end()
            assert how is None or (isinstance(how, Refused) and how.status == 503)
    assert other.wait() == 0


async def test_node_that_stood_still_for_longer_than_its_lease_believes_nothing(shared: Shared, tmp_path: Path) -> None:
    with Cluster(tmp_path, shared, 2, LOG_LEASE_SECONDS="1") as cluster:
        one, other = cluster.nodes
        ann, bob = one.people("ann", "bob")
        lane = ann.group("项目组", "bob", history="all")
        ended = other.login("bob")
        assert at(bob, other).call("GET", "/v1/me")["id"] == "bob"
        assert ended.call("GET", "/v1/me")["id"] == "bob"
        for round in range(3):
            other.freeze()
            stopped = time.monotonic()
            at(ended, one).call("POST", "/v1/logout")
            ann.call("DELETE", f"/v1/conversations/{lane}/members/bob")
            asking = [asyncio.create_task(ask(other, ended, "GET", "/v1/me")) for _ in range(20)]
            body = {"client_id": f"late{round}", "content": {"type": "text", "text": "late"}}
            sending = [asyncio.create_task(ask(other, bob, "POST", f"/v1/conversations/{lane}/messages", body)) for _ in range(5)]
            await asyncio.to_thread(wait_for, lambda stopped=stopped: time.monotonic() - stopped > 1.5)  # type: ignore[misc]
            other.thaw()
            assert {answer for answer in await asyncio.gather(*asking)} <= {401, 503}
            assert {answer for answer in await asyncio.gather(*sending)} <= {404, 503}
            assert (await ask(other, ended, "GET", "/v1/me")) in (401, 503)
            await asyncio.to_thread(wait_for, lambda: other.health()[0] == 200, what="touch with the others")
            assert not [event for event in log_of(one) if event.lane == lane and event.sender == "bob"]
            ended = other.login("bob")
            ann.call("POST", f"/v1/conversations/{lane}/members", {"users": ["bob"]})
            at(bob, other).call("GET", f"/v1/conversations/{lane}")


async def ask(node: Server, person: Person, method: str, path: str, body: object = None) -> int:
    """The status of the answer."""
    async with httpx.AsyncClient(timeout=20) as http:
        return (await http.request(method, f"{node.url}{path}", json=body, headers=authorization(person))).status_code


async def test_frozen_node_is_gone_for_the_others_and_comes_back_by_itself(own: Cluster) -> None:
    one, other = own.nodes
    root = administrator(one)
    ann, bob = one.people("ann", "bob")
    lane = ann.direct("bob")
    async with Crowd(other) as there:
        reader = await there.device(bob, "json")
        other.freeze()
        await asyncio.to_thread(wait_for, lambda: list(nodes_seen(root)) == ["node1"], 8)
        last = {}
        for number in range(50):
            last = ann.send(lane, str(number))
        other.thaw()
        await reader.until(lambda: reader.ended or reader.at >= last["position"])
        if reader.ended:
            await reader.connect("json")
            await reader.reached(last["position"])
        assert reader.texts(lane) == [str(number) for number in range(50)]
        for node in own.nodes:
            await asyncio.to_thread(wait_for, lambda node=node: len(nodes_seen(at(root, node))) == 2)  # type: ignore[misc]


@pytest.mark.parametrize("number", [0, 1])
def test_people_are_online_on_a_node_that_comes_later(own: Cluster, number: int) -> None:
    """A node that starts is told who is on the others."""
    staying, coming = own.nodes[number], own.nodes[1 - number]
    (ann,) = staying.people("ann")
    with at(ann, staying).stream():
        coming.restart()
        there = at(ann, coming)
        wait_for(lambda: [user["id"] for user in there.call("GET", "/v1/online")["users"]] == ["ann"])
