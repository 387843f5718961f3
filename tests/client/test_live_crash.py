"""kill -9 of the server and of the client, in the middle of everything: nothing lost, nothing doubled."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan.client import Client, Event

from ..serving import PASSWORD, Server
from .live import joined, names, open_client, until

ALL = ("websocket", "sse", "longpoll", "poll")


async def test_server_killed_in_mid_stream_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        ann, bob = names(server, "ann", "bob")
        a = await joined(server, ann)
        readers = [await joined(server, bob, transport=transport) for transport in ALL]
        try:
            lanes = [(await a.client.create_group(f"组 {at}", [bob])).id for at in range(4)]
            for at in range(400):
                a.client.post(lanes[at % 4], str(at))
            for begin in (50, 200):
                await until(lambda begin=begin: len(readers[0].events) > begin)
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
            await asyncio.wait_for(a.client.sent_all(), 40)
            for reader in [a, *readers]:
                await until(lambda reader=reader: sum(event.type == "message" for event in reader.events) >= 400)
                for number, lane in enumerate(lanes):
                    assert reader.texts(lane) == [str(at) for at in range(number, 400, 4)]
                positions = [event.position for event in reader.events]
                assert positions == sorted(set(positions))
                assert reader.reloads == 0
            assert {reader.client.transport for reader in readers} == set(ALL)
            assert a.client.transport == "websocket", "a server that was away is no reason to fall back"
        finally:
            await asyncio.gather(*(reader.client.close() for reader in [a, *readers]))


async def test_stopping_server_is_waited_for(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        ann, bob = names(server, "ann", "bob")
        a, b = await joined(server, ann), await joined(server, bob, transport="sse")
        async with a.client, b.client:
            lane = (await a.client.create_direct(bob)).id
            await a.client.send(lane, "一")
            await asyncio.to_thread(server.stop)
            sending = a.client.post(lane, "二")
            await until(lambda: a.client.link.connection == b.client.link.connection == "waiting")
            await asyncio.to_thread(server.start)
            await asyncio.wait_for(sending, 20)
            await until(lambda: b.texts(lane) == ["一", "二"])


WRITER = """
import asyncio, sys
from hongyan.client import Client
async def main():
    client = Client(sys.argv[1], state=sys.argv[2])
    for at in range(int(sys.argv[4]), int(sys.argv[5])):
        client.post(sys.argv[3], str(at))
    print("written down", flush=True)
    await client.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Writer:
    """A program with the SDK that posts, and is killed."""

    def __init__(self, server: Server, state: Path, lane: str, begin: int, end: int) -> None:
        command = [sys.executable, "-c", WRITER, server.url, str(state), lane, str(begin), str(end)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"written down\n"

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


async def test_client_killed_with_unsent_messages_sends_each_once(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        ann, bob = names(server, "ann", "bob")
        state = tmp_path / "state"
        async with open_client(server.url, state) as client:
            await client.login(ann, PASSWORD, "test")
            lane = (await client.create_direct(bob)).id
        reader = await joined(server, bob)
        async with reader.client:
            server.signal(signal.SIGSTOP)  # the first are kept while nobody answers
            writer = await asyncio.to_thread(Writer, server, state, lane, 0, 50)
            writer.kill()
            server.signal(signal.SIGCONT)
            writer = await asyncio.to_thread(Writer, server, state, lane, 50, 250)
            await until(lambda: len(reader.texts(lane)) > 20)  # the others die in the middle of being sent
            writer.kill()
            assert len(reader.texts(lane)) < 250
            async with open_client(server.url, state) as client:
                assert client.outbox_size > 0
                await client.start()
                await asyncio.wait_for(client.sent_all(), 20)
                assert client.outbox_size == 0
            await until(lambda: len(reader.texts(lane)) >= 250)
            assert reader.texts(lane) == [str(at) for at in range(250)]


READER = """
import asyncio, os, sys
from hongyan.client import Client
async def main():
    client = Client(sys.argv[1], state=sys.argv[2])
    out = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async def note(event):
        os.write(out, (event.text + "\\n").encode())
        await asyncio.sleep(0.002)
    client.on("message", note)
    await client.start()
    print("following", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_reader_killed_again_and_again_misses_nothing_and_repeats_at_most_the_last(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        ann, bob = names(server, "ann", "bob")
        state, out = tmp_path / "state", tmp_path / "out"
        async with open_client(server.url, state) as client:
            await client.login(bob, PASSWORD, "test")
            await client.start()
        a = await joined(server, ann)
        async with a.client:
            lane = (await a.client.create_direct(bob)).id
            for at in range(500):
                a.client.post(lane, str(at))

            def lines() -> list[str]:
                return out.read_text().split() if out.exists() else []

            deaths = 0
            while "499" not in lines():
                command = [sys.executable, "-c", READER, server.url, str(state), str(out)]
                with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
                    assert reader.stdout is not None
                    await asyncio.to_thread(reader.stdout.readline)
                    end = len(lines()) + 150
                    await until(lambda end=end: len(lines()) >= end or "499" in lines())
                    os.kill(reader.pid, signal.SIGKILL)
                deaths += 1
            assert deaths >= 3
            got = lines()
            assert list(dict.fromkeys(got)) == [str(at) for at in range(500)]
            assert len(got) - 500 <= deaths


async def test_clean_restart_in_the_middle_of_a_batch_repeats_nothing(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await joined(server, ann)
    got: list[str] = []
    async with open_client(server.url, tmp_path / "state") as client:
        await client.login(bob, PASSWORD, "test")
        await client.start()
    async with a.client:
        lane = (await a.client.create_direct(bob)).id
        for at in range(200):
            a.client.post(lane, str(at))
        await a.client.sent_all()

    async def run() -> None:
        """Until the client is closed by the callback of every 60th message, or there is no more."""
        client = open_client(server.url, tmp_path / "state")
        last = len(got) // 60 * 60 + 60

        async def callback(event: Event) -> None:
            got.append(event.text)
            await asyncio.sleep(0.001)
            if len(got) == last:
                await client.close()

        client.on("message", callback)
        await client.start()
        await until(lambda: len(got) >= min(last, 200))
        await client.close()

    for _ in range(4):
        await run()
    assert got == [str(at) for at in range(200)]


async def test_unsent_messages_of_another_directory_are_taken_over(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    reader = await joined(server, bob)
    async with open_client(server.url, tmp_path / "two") as client:
        await client.login(ann, PASSWORD, "test")
        lane = (await client.create_direct(bob)).id
    offline = Client("http://127.0.0.1:9", state=tmp_path / "two")
    with pytest.raises(Exception, match="log in"):
        offline.post(lane, "the token is for another server")
    await offline.close()
    async with open_client(server.url, tmp_path / "two") as second:
        pending = second.post(lane, "留下的")
        pending.future.cancel()
        await second._delivery.close()
    async with reader.client, open_client(server.url, tmp_path / "one") as first:
        await first.login(ann, PASSWORD, "test")
        assert first.adopt(tmp_path / "two") == 1
        assert first.adopt(tmp_path / "two") == 0
        await first.sent_all()
        await until(lambda: reader.texts(lane) == ["留下的"])
