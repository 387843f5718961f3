"""What one client can cost: slow, dead, silent, greedy and rude ones."""

import asyncio
import contextlib
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.gateways.web.port.plays import PING, PONG, TEXT, Port, Raw, client_frame, open_port, until
from tests.operation import certificates

MEBIBYTE = 1_048_576
both_ways = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


def way(folder: Path, secure: bool) -> dict[str, Any]:
    """The port with or without TLS."""
    if not secure:
        return {}
    certificate, key = certificates.make(folder)
    return {"http": {"certificate": certificate, "key": key}, "tls": ssl.create_default_context(cafile=certificate)}


async def lazy(port: Port, user: str) -> Raw:
    """A client whose machine takes little that it does not read."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port.gateway.port))
    reader, writer = await asyncio.open_connection(
        sock=one, limit=4_096, ssl=port.tls, server_hostname="127.0.0.1" if port.tls else None
    )
    raw = Raw(reader, writer)
    port.adopt(raw)
    await raw.shake_hands(port.web.tokens[user])
    return raw


async def say_much(port: Port, group: str, count: int, size: int) -> None:
    for begin in range(0, count, 50):
        texts = [f"{number:06d}" + "x" * size for number in range(begin, min(begin + 50, count))]
        await asyncio.gather(*(port.home.send("alice", group, text) for text in texts))


async def write_until_nothing_is_taken(raw: Raw, data: bytes) -> None:
    taken = 0
    with contextlib.suppress(TimeoutError):
        while True:
            raw.writer.write(data)
            async with asyncio.timeout(1):
                await raw.writer.drain()
            taken += len(data)
            assert taken < 200 * MEBIBYTE


@pytest.mark.parametrize("extensions", [None, "permessage-deflate"])
async def test_a_slow_reader_costs_little_memory_holds_up_nobody_and_gets_everything(
    tmp_path: Path, extensions: str | None
) -> None:
    first, second, size = 1_200, 1_800, 50_000  # the first ones fill what is kept of the log and the allocator's own pools
    async with open_port(tmp_path, limits={"session_queue": 100}, ring=50) as port:
        group = await port.web.group("alice", "bob", "carol")
        slow = await lazy(port, "bob")
        quick = await port.raw("carol", extensions=extensions)
        reading = asyncio.create_task(quick.seqs(first))
        await say_much(port, group, first, size)
        await reading
        before = psutil.Process().memory_info().rss
        reading = asyncio.create_task(quick.seqs(second))
        await say_much(port, group, second, size)
        await reading
        assert psutil.Process().memory_info().rss - before < 30 * MEBIBYTE, "of 86 MiB that the slow one did not read"
        assert await slow.seqs(first + second) == list(range(2, first + second + 2))


async def test_a_reader_that_takes_nothing_for_too_long_is_told_to_resume(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"drain_seconds": 0.4, "session_queue": 10}, pace={"grace": 30.0}) as port:
        group = await port.web.group("alice", "bob")
        bob = await lazy(port, "bob")
        await say_much(port, group, 120, 50_000)
        await until(lambda: len(port.home.messaging.sessions) == 0)
        close = await bob.hears("close")
        assert close["do"] == "resume"
        assert await bob.close_code() == 4001


@both_ways
async def test_a_reader_that_never_comes_back_is_cut(tmp_path: Path, secure: bool) -> None:
    async with open_port(tmp_path, limits={"drain_seconds": 0.3}, **way(tmp_path, secure)) as port:
        group = await port.web.group("alice", "bob")
        bob = await lazy(port, "bob")
        descriptors = len(os.listdir("/proc/self/fd"))
        await say_much(port, group, 120, 50_000)
        await until(lambda: len(os.listdir("/proc/self/fd")) < descriptors)
        await bob.ended()
        assert port.gateway.websockets == 0


@both_ways
async def test_a_reader_that_is_slow_but_goes_on_is_not_cut(tmp_path: Path, secure: bool) -> None:
    count = 60
    limits = {"drain_seconds": 0.5, "session_queue": 10, "write_buffer": 65_536}
    async with open_port(tmp_path, limits=limits, **way(tmp_path, secure)) as port:
        group = await port.web.group("alice", "bob")
        bob = await lazy(port, "bob")
        await say_much(port, group, count, 60_000)
        seqs: list[int] = []
        while len(seqs) < count:
            seqs += [event["seq"] for event in (await bob.hears("events"))["events"]]
            await asyncio.sleep(0.03)  # in all much longer than `drain_seconds`
        assert seqs == list(range(2, count + 2))


async def test_a_client_that_does_not_read_its_answers_is_not_read_from(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"drain_seconds": 30.0, "requests_burst": 100_000_000}) as port:
        bob = await lazy(port, "bob")
        before = psutil.Process().memory_info().rss
        frame = client_frame(TEXT, b'{"op":"nonsense","ref":1,"x":"' + b"x" * 100 + b'"}') * 100
        await write_until_nothing_is_taken(bob, frame)
        assert psutil.Process().memory_info().rss - before < 40 * MEBIBYTE


async def test_pings_without_end_are_bounded_too(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"drain_seconds": 30.0, "requests_burst": 100_000_000}) as port:
        bob = await lazy(port, "bob")
        before = psutil.Process().memory_info().rss
        frame = client_frame(PING, b"x" * 125) * 200
        await write_until_nothing_is_taken(bob, frame)
        assert psutil.Process().memory_info().rss - before < 40 * MEBIBYTE


async def test_a_silent_peer_is_pinged_and_then_cut(tmp_path: Path) -> None:
    async with open_port(tmp_path, pace={"beat": 0.2, "tick": 0.02}) as port:
        alice = await port.raw("alice")
        while (await alice.frame())[0] != PING:
            pass
        assert port.gateway.websockets == 1
        await alice.ended()
        assert port.gateway.websockets == 0


async def test_a_peer_that_answers_pings_is_kept(tmp_path: Path) -> None:
    async with open_port(tmp_path, pace={"beat": 0.2, "tick": 0.02}) as port:
        alice = await port.raw("alice")
        answered = 0
        while answered < 4:
            opcode, payload = await alice.frame()
            if opcode == PING:
                await alice.write(client_frame(PONG, payload))
                answered += 1
        assert port.gateway.websockets == 1


async def test_frames_over_the_rate_are_refused_with_the_time_to_wait(tmp_path: Path) -> None:
    limits = {"requests_per_second": 20.0, "requests_burst": 40, "sends_per_second": 20.0, "sends_burst": 40}
    async with open_port(tmp_path, limits=limits) as port:
        alice = await port.raw("alice")
        await alice.say(*({"op": "ping", "ref": ref} for ref in range(90)))
        assert [(await alice.hears("pong"))["ref"] for _ in range(80)] == list(range(80))
        error = await alice.hears("error")
        assert error["type"] == "urn:hongyan:error:rate-limited"
        assert error["ref"] >= 80
        assert 0 < error["retry_after"] < 5
        async with asyncio.timeout(10):
            ref = 1_000
            while True:  # until enough was earned again
                ref += 1
                await alice.say({"op": "ping", "ref": ref})
                found = await alice.hears_one_of("pong", "error", ref=ref)
                if found["op"] == "pong":
                    break
                await asyncio.sleep(found["retry_after"])


async def test_a_client_that_floods_is_told_to_come_later(tmp_path: Path) -> None:
    limits = {"requests_per_second": 20.0, "requests_burst": 40, "sends_per_second": 20.0, "sends_burst": 40}
    async with open_port(tmp_path, limits=limits) as port:
        alice = await port.raw("alice")
        await alice.say(*({"op": "nonsense"} for _ in range(300)))
        close = await alice.hears("close")
        assert (close["do"], close["after"]) == ("later", 10.0)
        assert await alice.close_code() == 4002


async def test_calls_under_way_are_bounded(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        group = await port.web.group("alice", "bob")
        alice = await port.raw("alice")
        await alice.write(
            b"".join(
                client_frame(TEXT, b'{"op":"read","ref":%d,"conversation":"%b","seq":1}' % (ref, group.encode()))
                for ref in range(100)
            )
        )
        ops = [(await alice.hears_one_of("ack", "error"))["op"] for _ in range(100)]
        assert ops.count("error") > 0
        assert ops.count("ack") >= 32
        await alice.say({"op": "read", "ref": 200, "conversation": group, "seq": 1})
        assert (await alice.hears("ack"))["ref"] == 200


async def test_a_close_that_is_not_answered_ends_after_the_grace(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        alice = await port.raw("alice")
        await port.web.call("alice", "POST", "/v1/logout")
        assert await alice.close_code() == 4003
        await alice.ended()


async def test_idle_connections_have_no_task_and_no_timer(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        await port.raw("alice")
        await until(lambda: port.gateway.websockets == 1)
        tasks = len(asyncio.all_tasks())
        for _ in range(20):
            await port.raw("alice")
        await until(lambda: port.gateway.websockets == 21)
        await until(lambda: len(asyncio.all_tasks()) == tasks)
