"""A client that knows only a domain: records of a real dnsmasq lead it to a real server, which must prove to be the domain's."""

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hongyan.client import Backoff, Client, Unreachable

from ..finding.name_server import NameServer, running
from ..operation.certificates import make
from ..serving import HONGYAN, PASSWORD, Server
from .live import Reader, joined, names, until
from .proxy import Proxy
from .terminal.programs import environment

DOMAIN = "hongyan.test"
RECORD = f"srv-host=_hongyan._tcp.{DOMAIN}"
ALL = ("websocket", "sse", "longpoll", "poll")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the certificate of the domain, not of the host that the records lead to."""
    folder = tmp_path_factory.mktemp("domain")
    with Server(folder / "data", tls=make(folder, host=DOMAIN)) as server:
        yield server


@pytest.fixture
def dns(tmp_path: Path) -> Iterator[NameServer]:
    with running(tmp_path) as server:
        yield server


def context(server: Server) -> ssl.SSLContext:
    assert isinstance(server.verify, ssl.SSLContext)
    return server.verify


async def says(dns: NameServer, *lines: str) -> None:
    await asyncio.to_thread(dns.says, *lines)


async def at_home(server: Server, name: str, dns: NameServer, **more: Any) -> Reader:
    return await joined(server, name, url=DOMAIN, dns=dns.address, ssl=context(server), **more)


async def test_every_transport_finds_the_servers_of_a_domain(server: Server, dns: NameServer) -> None:
    await says(dns, f"{RECORD},localhost,{server.port},10,0")
    ann, bob = names(server, "ann", "bob")
    a = await at_home(server, ann, dns)
    async with a.client:
        lane = (await a.client.create_direct(bob)).id
        for transport in ALL:
            b = await at_home(server, bob, dns, transport=transport)
            async with b.client:
                await a.client.send(lane, transport)
                await until(lambda b=b, transport=transport: transport in b.texts(lane))
        assert a.client.server == f"https://localhost:{server.port}"
        assert a.client.transport == "websocket"


async def test_records_cannot_lead_to_a_server_that_is_not_the_domains(dns: NameServer, tmp_path: Path) -> None:
    """Its certificate is good, and for the very host that the record names."""
    with Server(tmp_path / "data", tls=make(tmp_path, host="localhost")) as other:
        await says(dns, f"{RECORD},localhost,{other.port},10,0")
        (ann,) = names(other, "ann")
        async with Client(f"https://localhost:{other.port}", ssl=context(other)) as client:
            await client.login(ann, PASSWORD, "test")
        async with Client(DOMAIN, dns=dns.address, ssl=context(other), token="x") as client:
            with pytest.raises(Unreachable, match="certificate"):
                await client.login(ann, PASSWORD, "test")
            with pytest.raises(Unreachable, match="certificate"):
                await anext(client._socket.stream("e.1"))


async def test_proxy_of_the_environment_does_not_come_between(
    server: Server, dns: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await says(dns, f"{RECORD},localhost,{server.port},10,0")
    (ann,) = names(server, "ann")
    a = await at_home(server, ann, dns)
    async with a.client:
        await until(lambda: a.client._socket.ready)


async def test_shut_door_is_left_for_the_next_record_within_a_second(server: Server, dns: NameServer) -> None:
    ann, bob = names(server, "ann", "bob")
    async with Proxy(server.port) as one, Proxy(server.port) as two:
        await says(dns, f"{RECORD},localhost,{one.port},10,0", f"{RECORD},localhost,{two.port},20,0")
        a = await at_home(server, ann, dns, backoff=lambda: Backoff(first=10.0))
        async with a.client:
            lane = (await a.client.create_direct(bob)).id
            assert a.client.server == f"https://localhost:{one.port}"
            one.cut()
            await asyncio.wait_for(a.client.send(lane, "weiter"), 1.0)
            await until(lambda: a.texts(lane) == ["weiter"], 1.0)
            assert a.client.server == f"https://localhost:{two.port}"


async def test_changed_records_are_followed_while_running(server: Server, dns: NameServer) -> None:
    ann, bob = names(server, "ann", "bob")
    async with Proxy(server.port) as one, Proxy(server.port) as two:
        await says(dns, f"{RECORD},localhost,{one.port},10,0")
        a = await at_home(server, ann, dns)
        async with a.client:
            lane = (await a.client.create_direct(bob)).id
            await says(dns, f"{RECORD},localhost,{two.port},10,0")
            one.cut()
            await asyncio.wait_for(a.client.send(lane, "umgezogen"), 10.0)
            await until(lambda: a.texts(lane) == ["umgezogen"])
            assert a.client.server == f"https://localhost:{two.port}"


async def test_without_a_name_server_it_is_said_and_tried_again(server: Server, dns: NameServer) -> None:
    (ann,) = names(server, "ann")
    async with Client(DOMAIN, dns=dns.address, ssl=context(server)) as client:
        with pytest.raises(Unreachable, match=r"hongyan\.test: No name server told"):
            await client.login(ann, PASSWORD, "test")
        await says(dns, f"{RECORD},localhost,{server.port},10,0")
        await client.login(ann, PASSWORD, "test")


async def test_domain_without_records_is_asked_itself(server: Server, dns: NameServer) -> None:
    await says(dns)
    async with Client(DOMAIN, dns=dns.address, ssl=context(server)) as client:
        with pytest.raises(Unreachable, match=r"https://hongyan\.test: "):
            await client.whoami()


def test_terminal_client_takes_a_domain(server: Server, dns: NameServer, tmp_path: Path) -> None:
    dns.says(f"{RECORD},localhost,{server.port},10,0")
    (ann,) = names(server, "ann")
    more = {"HONGYAN_DNS_SERVER": dns.address, "SSL_CERT_FILE": str(server.data.parent / "tls.pem")}
    done = subprocess.run(
        [*HONGYAN, "chat", "--server", DOMAIN, "--user", ann, "--password-stdin"],
        input=f"{PASSWORD}\n你好\n:info\n",
        env=environment(tmp_path) | more,
        capture_output=True,
        text=True,
        timeout=30,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"https://localhost:{server.port}" in done.stdout
    assert server.login(ann).texts("lobby")[-1:] == ["你好"]
