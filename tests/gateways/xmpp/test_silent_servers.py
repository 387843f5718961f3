"""Servers that are called: only on public addresses, and no more waits for one that says nothing than may."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.counterparts.authority import Authority
from tests.counterparts.dns import SRV, A, NameServer
from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.site import DOMAIN, Site

SILENT = "silent.example"


class Listener:
    """Takes connections and says nothing."""

    def __init__(self) -> None:
        self.port = 0
        self.came = asyncio.Event()
        self.close: Callable[[], None] = lambda: None
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.came.set()
        with contextlib.suppress(OSError):
            while await reader.read(65_536):
                pass

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self.close = server.close
            yield
            for writer in self._writers:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()


@contextlib.asynccontextmanager
async def place(folder: Path, *, private: bool, **settings: str) -> AsyncIterator[tuple[Site, Listener]]:
    authority = Authority(folder / "authority")
    ours, listener = authority.issue(DOMAIN, f"rooms.{DOMAIN}"), Listener()
    async with listener.listening():
        records = [A("host.example", "127.0.0.1"), SRV(f"_xmpp-server._tcp.{SILENT}", "host.example", listener.port)]
        with NameServer(folder / "dns", records) as names:
            site = Site(folder / "data", tls=ours, authority=authority.certificate, start=False, **settings)
            site.federates(names.port, private=private)
            with site:
                site.server.start()
                yield site, listener


@pytest.mark.parametrize("private", [False, True])
async def test_our_own_network_is_called_where_the_settings_say_so(tmp_path: Path, private: bool) -> None:
    async with place(tmp_path, private=private, XMPP_S2S_SECONDS="5") as (site, listener):
        (alice,) = site.people("alice")
        async with client(site, alice.id) as a:
            a.send_message(f"m@{SILENT}", "hello", mtype="chat")
            error = await a.error()
            assert error["error"]["condition"] == ("remote-server-timeout" if private else "remote-server-not-found")
            assert "xmpp.s2s_private_addresses" in error["error"]["text"] or private
        assert listener.came.is_set() == private


async def test_bytes_that_wait_for_a_server_are_bounded(tmp_path: Path) -> None:
    async with place(tmp_path, private=True, XMPP_S2S_QUEUE_BYTES="10000") as (site, listener):
        (alice,) = site.people("alice")
        async with client(site, alice.id) as a:
            for n in range(3):
                a.send_message(f"m{n}@{SILENT}", "a" * 4_000, mtype="chat")
            error = await a.error()
            assert error["error"]["condition"] == "resource-constraint"
            assert error["from"].bare == f"m2@{SILENT}"
        await listener.came.wait()


async def test_servers_that_somebody_has_made_up_are_called_so_many_at_a_time(tmp_path: Path) -> None:
    async with place(tmp_path, private=True) as (site, _):
        (alice,) = site.people("alice")
        async with client(site, alice.id) as a:
            for n in range(60):
                a.send_raw(f"<iq type='get' id='q{n}' to='s{n}.{SILENT}'><ping xmlns='urn:xmpp:ping'/></iq>")
            told = await a.until(lambda: a.answers.get("q59"))
            assert told["error"]["condition"] == "resource-constraint"
            assert "q0" not in a.answers or a.answers["q0"]["error"]["condition"] != "resource-constraint"


async def test_a_server_that_is_starting_anew_is_called_again(tmp_path: Path) -> None:
    async with place(tmp_path, private=True, XMPP_S2S_SECONDS="20") as (site, listener):
        (alice,) = site.people("alice")
        port = listener.port
        listener.close()
        async with client(site, alice.id) as a:
            a.send_message(f"m@{SILENT}", "hello", mtype="chat")
            await asyncio.sleep(1)
            listener.came.clear()
            server = await asyncio.start_server(listener.serve, "127.0.0.1", port)
            async with server, asyncio.timeout(20):
                await listener.came.wait()
            assert a.texts == []
