"""Over TLS: a certificate that is trusted works on every transport, another one on none."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from hongyan.client import Client, Unreachable

from ..operation.certificates import make
from ..serving import PASSWORD, Server
from .live import joined, names, until

ALL = ("websocket", "sse", "longpoll", "poll")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tls")
    with Server(folder / "data", tls=make(folder)) as server:
        yield server


async def test_every_transport_trusts_the_same_certificates(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    assert isinstance(server.verify, ssl.SSLContext)
    a = await joined(server, ann, ssl=server.verify)
    async with a.client:
        lane = (await a.client.create_direct(bob)).id
        for transport in ALL:
            b = await joined(server, bob, ssl=server.verify, transport=transport)
            async with b.client:
                await a.client.send(lane, transport)
                await until(lambda b=b, transport=transport: transport in b.texts(lane))
        assert a.client.transport == "websocket"


async def test_system_store_is_trusted_by_rest_and_websocket_alike(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    (ann,) = names(server, "ann")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(server)))
    a = await joined(server, ann)
    async with a.client:
        await until(lambda: a.client._socket.ready)
        assert (await a.client.whoami()).id == ann


async def test_certificate_that_is_not_trusted_gets_no_password(server: Server) -> None:
    (ann,) = names(server, "ann")
    async with Client(server.url) as client:
        with pytest.raises(Unreachable, match="certificate"):
            await client.login(ann, PASSWORD, "test")


async def test_websocket_to_a_certificate_that_is_not_trusted_is_no_reason_to_fall_back(server: Server) -> None:
    client = Client(server.url, token="x")
    stream = client._socket.stream("e.1")
    with pytest.raises(Unreachable, match="certificate"):
        await anext(stream)
    await client.close()


def certificate(server: Server) -> Path:
    return server.data.parent / "tls.pem"
