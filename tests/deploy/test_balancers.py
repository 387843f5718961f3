"""nginx.conf, haproxy.cfg and haproxy-tcp.cfg of docs/deploy, in front of two real nodes."""

import asyncio
import contextlib
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, get_args

import httpx
import pytest

from hongyan.client import Backoff, Client, Event
from hongyan.client.model import TransportName
from tests.deploy.fronts import Front
from tests.serving import PASSWORD, SECONDS, Server, new_client_id

TRANSPORTS: tuple[TransportName, ...] = get_args(TransportName)
JSON = {"Content-Type": "application/json"}
SOON = 5.0
"""Seconds. It takes a tenth of that; the machine of a test may be busy."""


class Reader:
    """A client on one transport, and the texts that it was handed."""

    def __init__(self, front: Front, transport: TransportName) -> None:
        self.client = Client(
            front.url,
            transport=transport,
            ssl=front.verify,
            poll_pause=0.05,
            backoff=lambda: Backoff(first=0.05, most=0.5),
        )
        self.events: list[Event] = []
        self.at: list[float] = []
        self.reloads = 0
        self.client.on("message", self._take)
        self.client.on_reload(self._reloaded)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.at.append(time.monotonic())

    def _reloaded(self, _: object) -> None:
        self.reloads += 1

    def texts(self, conversation: str) -> list[str]:
        return [event.text for event in self.events if event.conversation == conversation]


@contextlib.asynccontextmanager
async def joined(front: Front, name: str, *transports: TransportName) -> AsyncIterator[list[Reader]]:
    """Clients of one person, who follow."""
    async with contextlib.AsyncExitStack() as open_ones:
        readers = []
        for transport in transports:
            reader = Reader(front, transport)
            await open_ones.enter_async_context(reader.client)
            await reader.client.login(name, PASSWORD, transport)
            await reader.client.start()
            await until(lambda reader=reader: reader.client.link.connection == "online")
            readers.append(reader)
        yield readers


async def until(condition: Callable[[], Any], seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@contextlib.contextmanager
def logged_in(front: Front, name: str) -> Iterator[httpx.Client]:
    with front.http() as http:
        answer = http.post("/v1/login", json={"username": name, "password": PASSWORD, "device": "test"})
        assert answer.status_code == 200, answer.text
        http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield http


def message(text: str) -> dict[str, Any]:
    return {"client_id": new_client_id(), "content": {"type": "text", "text": text}}


async def test_every_transport_gives_what_is_sent_at_either_node(front: Front) -> None:
    twice = [transport for transport in TRANSPORTS for _ in (1, 2)]
    async with joined(front, "bob", *twice) as readers, joined(front, "ann", "poll") as (ann,):
        lane = (await ann.client.create_direct("bob")).id
        await until(lambda: all(front.streams(node) for node in front.nodes))
        before = [front.metric(node, "hongyan_events_appended_total") for node in front.nodes]
        sent = []
        headers = {"Authorization": f"Bearer {ann.client._rest.token}"}
        for number in range(10):
            async with httpx.AsyncClient(base_url=front.url, verify=front.verify, headers=headers, timeout=SECONDS) as once:
                body = message(f"第{number}")
                answer = await once.post(f"/v1/conversations/{lane}/messages", json=body)
                assert answer.status_code == 201, answer.text
                sent.append(f"第{number}")
        for reader in readers:
            await until(lambda reader=reader: reader.texts(lane) == sent)
        after = [front.metric(node, "hongyan_events_appended_total") for node in front.nodes]
        assert all(now > then for now, then in zip(after, before, strict=True)), "one node took all of it"


@pytest.mark.parametrize("transport", ["sse", "longpoll", "websocket"])
async def test_event_comes_at_once_and_not_when_a_buffer_is_full(front: Front, transport: TransportName) -> None:
    async with joined(front, "bob", transport) as (bob,), joined(front, "ann", "websocket") as (ann,):
        lane = (await ann.client.create_direct("bob")).id
        delays = []
        for number in range(5):
            text = f"{transport} {number}"
            began = time.monotonic()
            await ann.client.send(lane, text)
            await until(lambda text=text: bob.events and bob.events[-1].text == text)
            delays.append(bob.at[-1] - began)
        assert sorted(delays)[2] < 0.5


def test_long_poll_lasts_its_whole_time(front: Front) -> None:
    """A minute in ninety seconds, as two seconds in three."""
    file = front.balancer.configuration
    try:
        front.balancer.reload(file.replace("90s", "3s"))
        with logged_in(front, "eve") as eve:
            cursor = eve.get("/v1/events", params={"limit": 1}).json()["cursor"]
            eve.get("/v1/events", params={"after": cursor, "wait": 1})  # the news that one is there oneself
            began = time.monotonic()
            answer = eve.get("/v1/events", params={"after": cursor, "wait": 2})
            assert answer.status_code == 200
            assert answer.json()["events"] == []
            assert time.monotonic() - began >= 1.9
    finally:
        front.balancer.reload(file)


def test_page_of_the_front_is_the_servers_own_and_another_is_not(front: Front) -> None:
    """Origin is compared with Host and scheme, as the client used them."""
    with front.http() as http:
        assert http.get("/docs", headers={"Origin": front.url}).status_code == 200
        answer = http.get("/health", headers={"Origin": "https://elsewhere.example"})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:hongyan:error:origin-refused")


def test_oversized_body_is_refused_in_the_words_of_the_protocol(front: Front) -> None:
    with logged_in(front, "eve") as eve:
        answer = eve.post(
            "/v1/conversations/lobby/messages", content=b"x" * 1_100_000, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:hongyan:error:too-large")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert eve.get("/v1/me").status_code == 200


def test_largest_body_passes(front: Front) -> None:
    with logged_in(front, "eve") as eve:
        body = b'{"client_id":"1","content":{"type":"text","text":"' + b"x" * (1_048_576 - 53) + b'"}}'
        assert len(body) <= 1_048_576
        answer = eve.post("/v1/conversations/lobby/messages", content=body, headers=JSON)
        assert answer.json()["type"] == "urn:hongyan:error:too-large"
        assert "balancer" not in answer.json()["detail"], "it is the node that finds the text too long"


@pytest.mark.parametrize("host", ["", "Host: a b\r\n", "Host: a\r\nHost: b\r\n", "Host: ../etc\r\n"])
def test_bad_host_is_refused(front: Front, host: str) -> None:
    with socket.create_connection(("127.0.0.1", front.port), SECONDS) as plain:
        context = ssl.create_default_context(cafile=None)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(plain) as connection:
            connection.sendall(f"GET /health HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode())
            status = connection.recv(65_536).split(b"\r\n", 1)[0]
    assert status.startswith((b"HTTP/1.1 400", b"HTTP/1.1 200")), status


def test_metrics_are_not_for_everybody_where_the_balancer_sees_what_is_asked_for(front: Front) -> None:
    with front.http() as http:
        assert http.get("/metrics").status_code == (200 if front.hides_addresses else 404)
        assert http.get("/health").status_code == 200


def test_plain_http_is_sent_to_tls(lonely: Front) -> None:
    transport = httpx.HTTPTransport(uds=str(lonely.balancer.directory / "plain.sock"))
    with httpx.Client(transport=transport) as http:
        answer = http.get("http://chat.example.org/docs?a=1")
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://chat.example.org/docs?a=1")


def test_without_any_node_clients_are_told_to_come_back(lonely: Front) -> None:
    with lonely.http() as http:
        for answer in (http.get("/v1/me"), http.post("/v1/conversations/lobby/messages", json=message("在吗"))):
            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:hongyan:error:internal"
            assert answer.json()["retry_after"] == 1
            assert answer.headers["Retry-After"] == "1"
            assert answer.headers["Content-Type"] == "application/problem+json"


async def test_node_that_is_stopped_or_killed_loses_nothing_and_its_streams_go_to_the_other(front: Front) -> None:
    """The last but one: of each balancer's two nodes it leaves one."""
    one, two = front.nodes
    async with joined(front, "bob", *TRANSPORTS) as readers, joined(front, "ann", "websocket") as (ann,):
        lane = (await ann.client.create_direct("bob")).id
        sent = 0

        async def send_on() -> None:
            nonlocal sent
            while True:
                await ann.client.send(lane, str(sent))
                sent += 1

        sending = asyncio.create_task(send_on())
        try:
            await until(lambda: sent > 20)
            await _leaves(front, one, two, signal.SIGTERM, lambda: sent)
            one.launch()  # by the main thread: it dies with the one that starts it
            await asyncio.to_thread(one.until_ready)
            await _leaves(front, two, one, signal.SIGKILL, lambda: sent)
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        await ann.client.sent_all()
        for reader in [*readers, ann]:
            await until(lambda reader=reader: len(reader.texts(lane)) >= sent)
            assert reader.texts(lane)[:sent] == [str(number) for number in range(sent)]
            assert reader.reloads == 0


async def _leaves(front: Front, leaving: Server, staying: Server, how: signal.Signals, sent: Callable[[], int]) -> None:
    """All four that have a session are on the other node soon, and sending goes on."""
    before = sent()
    began = time.monotonic()
    leaving.signal(how)
    await until(lambda: front.streams(staying) >= 4 and sent() > before + 10, 30.0)
    assert time.monotonic() - began < SOON, "streams and sends took too long to go on"
    await asyncio.to_thread(leaving.wait)


def test_client_is_known_by_its_own_address_and_not_by_one_that_it_claims(front: Front) -> None:
    """The last one: where nobody's address is seen it makes all wait who log in."""

    def guess(http: httpx.Client) -> int:
        body = {"username": f"nobody{time.monotonic_ns()}", "password": "wrong", "device": "test"}
        return http.post("/v1/login", json=body).status_code

    first = 110 if front.kind == "nginx" else 10
    culprit, neighbour, claimed = (f"127.0.0.{first + number}" for number in range(3))
    with front.http(culprit) as one, front.http(neighbour, **{"X-Forwarded-For": culprit}) as two:
        for _ in range(40):  # each node counts for itself
            last = [guess(one) for _ in range(4)]
            if last == [429] * 4:
                break
        assert 429 in last
        if front.hides_addresses:
            assert 429 in {guess(two) for _ in range(12)}
        else:
            assert [guess(two) for _ in range(4)] == [401] * 4
            with front.http(culprit, **{"X-Forwarded-For": claimed}) as liar:
                assert 429 in {guess(liar) for _ in range(4)}
