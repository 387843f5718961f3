"""HTTP on the port: bounds on what a client may keep open, running requests at the end, and ports that cannot be opened."""

import asyncio
import contextlib
import socket
import time
from pathlib import Path

import msgspec
import pytest

from hongyan.config import Endpoint
from hongyan.gateways.door.sockets import CannotListen, bind
from hongyan.gateways.web.gateway import WebGateway
from hongyan.gateways.web.port.http import HttpProtocol
from tests.gateways.web.port.plays import Port, Raw, open_port, until

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def post(port: Port, body: bytes, length: int | None = None) -> bytes:
    head = (
        "POST /v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {port.web.tokens['alice']}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body


async def test_requests_are_answered_one_after_the_other_on_one_connection(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.socket()
        await raw.write(HEALTH * 3 + post(port, b'{"kind":"direct","members":["bob"]}') + HEALTH)
        assert [(await raw.answer())[0] for _ in range(5)] == [200, 200, 200, 201, 200]


async def test_a_connection_that_sends_ahead_too_many_requests_is_cut_before_they_are_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    on_url = HttpProtocol.on_url

    def counted(self: HttpProtocol, url: bytes) -> None:
        parsed.append(url)
        on_url(self, url)

    monkeypatch.setattr(HttpProtocol, "on_url", counted)
    async with open_port(tmp_path) as port:
        raw, polite = await port.socket(), await port.socket()
        await raw.write(HEALTH * 1_000)
        await _gone(raw)
        assert len(parsed) == 17
        await polite.write(HEALTH * 17)
        assert [(await polite.answer())[0] for _ in range(17)] == [200] * 17


async def test_trailers_are_no_headers(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        head = b"POST /v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        token = f"Authorization: Bearer {port.web.tokens['alice']}\r\n".encode()
        chunks = b'23\r\n{"kind":"direct","members":["bob"]}\r\n0\r\n'
        raw = await port.socket()
        await raw.write(head + b"\r\n" + chunks + token + b"\r\n")
        assert (await raw.answer())[0] == 401
        await raw.write(head + token + b"\r\n" + chunks + b"Origin: https://evil.example\r\n\r\n" + HEALTH)
        assert [(await raw.answer())[0] for _ in range(2)] == [201, 200]


async def test_answers_do_not_name_the_server_program(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.socket()
        await raw.write(HEALTH)
        headers = (await raw.answer())[1]
        assert "server" not in headers
        assert headers["date"].endswith("GMT")


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_answered_with_a_problem_and_closed(tmp_path: Path, request_: bytes) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.socket()
        await raw.write(request_)
        status, headers, body = await raw.answer()
        assert status == 400
        assert headers["content-type"] == "application/problem+json"
        assert msgspec.json.decode(body)["type"] == "urn:hongyan:error:invalid"
        assert await raw.reader.read() == b""


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET /health HTTP/1.1\r\n", *[b"X-%d: %b\r\n" % (number, b"x" * 1_000) for number in range(40)]],
        [b"GET /health HTTP/1.1\r\nX: ", *[b"x" * 1_000] * 40],
        [b"GET /", *[b"x" * 1_000] * 40],
        [b"GET /health HTTP/1.1\r\nX: " + b"x" * 60_000 + b"\r\n\r\n"],
        [b"GET /health HTTP/1.1\r\n" + b"".join(b"X-%d: x\r\n" % number for number in range(150)) + b"\r\n"],
    ],
    ids=["many large fields", "an endless field", "an endless address", "one large field at once", "many small fields"],
)
async def test_a_head_that_is_too_large_is_refused_before_it_is_whole(tmp_path: Path, pieces: list[bytes]) -> None:
    async with open_port(tmp_path) as port:
        raw = await port.socket()
        for piece in pieces:
            await raw.write(piece)
        status, _, body = await raw.answer()
        assert status == 413
        assert msgspec.json.decode(body)["type"] == "urn:hongyan:error:too-large"


@pytest.mark.parametrize(
    "begun",
    [b"", b"\r\n", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: x\r\n"],
    ids=["nothing", "an empty line", "half a line", "half a head"],
)
@pytest.mark.parametrize("answered", [0, 1], ids=["at first", "behind an answer"])
async def test_a_head_that_does_not_come_to_its_end_is_cut(tmp_path: Path, begun: bytes, answered: int) -> None:
    async with open_port(tmp_path, http_pace={"head": 0.3, "keep_alive": 1}) as port:
        raw = await port.socket()
        for _ in range(answered):
            await raw.write(HEALTH)
            assert (await raw.answer())[0] == 200
        await raw.write(begun)
        await _gone(raw)


async def test_a_head_that_trickles_is_cut_all_the_same(tmp_path: Path) -> None:
    async with open_port(tmp_path, http_pace={"head": 0.4}) as port:
        raw = await port.socket()
        trickle = iter(b"GET /health HTTP/1.1\r\nX: " + b"x" * 10_000)
        with contextlib.suppress(ConnectionError):
            while not raw.reader.at_eof():
                await raw.write(bytes((next(trickle),)))
                await asyncio.sleep(0.02)


async def test_a_body_that_does_not_come_to_its_end_is_cut(tmp_path: Path) -> None:
    async with open_port(tmp_path, http_pace={"body": 0.3}) as port:
        raw = await port.socket()
        await raw.write(post(port, b'{"kind":', 100))
        await _gone(raw)
        before = await port.web.state()
        assert await port.web.state() == before


async def test_a_connection_that_is_not_used_any_more_is_closed(tmp_path: Path) -> None:
    async with open_port(tmp_path, http_pace={"keep_alive": 1}) as port:
        raw = await port.socket()
        await raw.write(HEALTH)
        await raw.answer()
        async with asyncio.timeout(10):
            assert await raw.reader.read() == b""


async def test_a_long_poll_is_not_cut_for_being_long(tmp_path: Path) -> None:
    async with open_port(tmp_path, http_pace={"head": 0.2, "body": 0.2, "drain": 0.2}) as port:
        raw = await port.socket()
        await raw.write(
            f"GET /v1/events?wait=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {port.web.tokens['bob']}\r\n\r\n".encode()
        )
        assert (await raw.answer())[0] == 200


async def test_an_answer_that_nobody_takes_is_cut(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"drain_seconds": 0.4}) as port:
        group = await port.web.group("alice", "bob")
        await asyncio.gather(*(port.home.send("alice", group, "x" * 50_000) for _ in range(200)))
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        one.setblocking(False)
        await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port.gateway.port))
        request = (
            f"GET /v1/conversations/{group}/events?limit=200 HTTP/1.1\r\nAuthorization: Bearer {port.web.tokens['bob']}\r\n\r\n"
        )
        await asyncio.get_running_loop().sock_sendall(one, request.encode() * 16)  # more than the kernel keeps for us
        listener = port.gateway._listener
        assert listener is not None
        await until(lambda: listener.connections == 1)
        await until(lambda: listener.connections == 0)
        one.close()


async def test_over_the_bound_connections_are_told_so_and_closed(tmp_path: Path) -> None:
    async with open_port(tmp_path, limits={"connections": 3}) as port:
        peers = [await port.raw("alice"), await port.raw("bob"), await port.socket()]
        await peers[2].write(HEALTH)
        assert (await peers[2].answer())[0] == 200
        raw = await port.socket()
        status, headers, body = await raw.answer()
        assert (status, int(headers["retry-after"])) == (503, 10)
        assert msgspec.json.decode(body)["type"] == "urn:hongyan:error:overloaded"
        peers[0].writer.transport.abort()
        raw.writer.transport.abort()
        listener = port.gateway._listener
        await until(lambda: port.gateway.websockets == 1 and listener is not None and listener.connections == 1)
        again = await port.socket()
        await again.write(HEALTH)
        assert (await again.answer())[0] == 200


async def test_stopping_lets_running_requests_finish(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        raw, idle = await port.socket(), await port.socket()
        await idle.write(HEALTH)
        await idle.answer()
        body = b'{"kind":"direct","members":["bob"]}'
        await raw.write(post(port, body)[:-5])
        await until(lambda: _running(port))
        stopping = asyncio.create_task(port.gateway.stop())
        async with asyncio.timeout(10):
            assert await idle.reader.read() == b""
        assert not stopping.done()
        await raw.write(body[-5:])
        status, headers, _ = await raw.answer()
        assert (status, headers["connection"]) == (201, "close")
        async with asyncio.timeout(5):
            await stopping


async def test_stopping_answers_long_polls_and_ends_event_streams(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        poll, stream = await port.socket(), await port.socket()
        headers = f"Host: x\r\nAuthorization: Bearer {port.web.tokens['bob']}\r\n\r\n"
        await poll.write(f"GET /v1/events?wait=50 HTTP/1.1\r\n{headers}".encode())
        await stream.write(f"GET /v1/events/sse HTTP/1.1\r\n{headers}".encode())
        assert (await stream.answer())[0] == 200
        await until(lambda: len(port.home.messaging.sessions) == 2)
        began = time.monotonic()
        await port.gateway.stop()
        assert time.monotonic() - began < 5
        assert (await poll.answer())[0] == 503
        assert b"event: close\ndata: " in await stream.reader.read()


async def test_stopping_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.gateways.web.gateway._FINISH_SECONDS", 0.3)
    async with open_port(tmp_path) as port:
        raw = await port.socket()
        await raw.write(post(port, b"{", 100))
        await until(lambda: _running(port))
        async with asyncio.timeout(5):
            await port.gateway.stop()
        await _gone(raw)


async def test_an_event_stream_that_is_cut_by_the_stop_is_logged_as_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("hongyan.gateways.web.gateway._FINISH_SECONDS", 0.3)
    monkeypatch.setattr("hongyan.gateways.web.streams._EventStream._rest", stuck)
    async with open_port(tmp_path) as port:
        raw = await port.socket()
        await raw.write(
            f"GET /v1/events/sse HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {port.web.tokens['bob']}\r\n\r\n".encode()
        )
        assert (await raw.answer())[0] == 200
        await asyncio.sleep(0.1)
        await port.gateway.stop()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_port_in_use_is_named_in_the_error(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        taken = msgspec.structs.replace(port.services.settings.http, listen=f"127.0.0.1:{port.gateway.port}")
        settings = msgspec.structs.replace(port.services.settings, http=taken)
        other = WebGateway(msgspec.structs.replace(port.services, settings=settings))
        with pytest.raises(CannotListen, match=f"Cannot listen on 127.0.0.1:{port.gateway.port}: address already in use"):
            await other.start()
        await other.stop()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.1"])
def test_an_address_of_somebody_else_is_named_in_the_error(host: str) -> None:
    with pytest.raises(CannotListen, match=f"Cannot listen on {host}:0: "):
        bind(Endpoint(host, 0))


@pytest.mark.parametrize(("host", "reached"), [("", ["127.0.0.1", "::1"]), ("localhost", ["127.0.0.1"]), ("::1", ["::1"])])
def test_all_addresses_of_a_host_have_the_same_port(host: str, reached: list[str]) -> None:
    sockets = bind(Endpoint(host, 0))
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        for address in reached:
            with socket.create_connection((address, sockets[0].getsockname()[1]), timeout=5):
                pass
    finally:
        for one in sockets:
            one.close()


async def test_the_kernel_holds_little_for_a_client_that_takes_nothing() -> None:
    [listener] = bind(Endpoint("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted:
            accepted.setblocking(False)
            before = client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while sent < 50_000_000:
                    sent += accepted.send(b"x" * 65_536)
            assert sent <= before + 1_000_000


def _running(port: Port) -> bool:
    listener = port.gateway._listener
    return listener is not None and any(task for task in listener._state.tasks)


async def _gone(raw: Raw) -> None:
    try:
        async with asyncio.timeout(10):
            assert await raw.reader.read() == b""
    except ConnectionError:
        pass
