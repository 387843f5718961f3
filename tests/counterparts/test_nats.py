"""NATS comes back on the same port, and leaves nothing."""

import asyncio
import socket
from pathlib import Path

import nats
import psutil

from tests.counterparts.nats import Nats


async def test_bytes_go_from_one_client_to_another(nats_url: str) -> None:
    one, other = await nats.connect(nats_url), await nats.connect(nats_url)
    heard = await one.subscribe("wake")
    await one.flush()
    await other.publish("wake", b"8440")
    assert (await heard.next_msg(10)).data == b"8440"
    for client in (one, other):
        await client.close()


async def test_same_port_after_stop_and_kill(tmp_path: Path) -> None:
    with Nats(tmp_path) as server:
        url = server.url
        for end in (server.stop, server.kill):
            process = psutil.Process(server.pid)
            end()
            assert not process.is_running()
            server.start()
            assert server.url == url
            await (await nats.connect(url)).close()


async def test_frozen_it_answers_nobody(nats_server: Nats, nats_url: str) -> None:
    client = await nats.connect(nats_url)
    nats_server.freeze()
    answer = asyncio.ensure_future(client.flush())
    done, _ = await asyncio.wait([answer], timeout=0.1)
    assert not done
    nats_server.thaw()
    await answer
    await client.close()


async def test_asks_for_name_and_password(tmp_path: Path) -> None:
    with Nats(tmp_path, user="goose", password="8440") as server:
        await (await nats.connect(server.url)).close()
        with socket.create_connection(("127.0.0.1", server.port), 10) as nobody, nobody.makefile("rb") as answers:
            nobody.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
            assert answers.read().endswith(b"-ERR 'Authorization Violation'\r\n")
        process = psutil.Process(server.pid)
    assert not process.is_running()
