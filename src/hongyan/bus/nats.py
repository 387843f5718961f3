"""The bus over NATS (https://docs.nats.io): two subjects for everybody, one for each node.

    hongyan.EPOCH.log       batches of the log
    hongyan.EPOCH.signals   everything else
    hongyan.EPOCH.node.ID   what is for one node

No JetStream: the store is the truth, and what is lost here is read there. Each message is signed with a key from the store,
so that nobody who can reach NATS, but not the database, can put words into somebody's mouth.
"""

import asyncio
import contextlib
import functools
import hmac
import logging
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import MaxPayloadError, NoServersError, SlowConsumerError

from hongyan.bus import Counts, Message
from hongyan.bus.local import Ears
from hongyan.bus.messages import News, OnTheWire, Range
from hongyan.core.model import Batch

log = logging.getLogger("hongyan.bus")

M = TypeVar("M", bound=Message)

_MAC_BYTES = 16
_HEAD = struct.Struct(">16sQ")
"""Who sends, and the number of the message: each node's rise, so that what was recorded and is sent again is refused."""
_MOST_SENDERS = 10_000
_MOST_BYTES = 524_288
"""Contents in one message; NATS allows a mebibyte unless told otherwise."""
_QUEUE_BYTES = 16_777_216
_PENDING_BYTES = 67_108_864
_RETRY_SECONDS = 0.5
_ASK_SECONDS = 1.0
"""How often NATS is asked whether it is there."""
_ANSWER_SECONDS = 2
_SEND_SECONDS = 5.0
"""The driver waits for ever where the connection is lost while it is full."""
_ENVELOPE = 1_024
"""Bytes of an event beside its content."""

Servers = Callable[[], Awaitable[Sequence[str]]]
"""Where NATS is now: looked up for each attempt to connect."""


class NatsBus:
    """Keeps the contract of `hongyan.bus.Bus`. What waits to be sent is bounded; over the bound the oldest is lost."""

    alone = False

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._ears = Ears()
        self._client: Client | None = None
        self._node = ""
        self._prefix = ""
        self._key = b""
        self._number = time.time_ns()
        self._heard: dict[tuple[bytes, str], int] = {}
        """The last number of each node on each subject."""
        self._queue: deque[tuple[str, bytes]] = deque()
        self._queue_bytes = 0
        self._queued = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._asked = False
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(OnTheWire).decode
        self._told_away = False
        self.trouble: str | None = "The bus has not been reached yet"
        self.counts = Counts()

    @property
    def doubtful(self) -> bool:
        return self._asked or self.trouble is not None

    def listen(self, kind: type[M], heard: Callable[[M], None]) -> None:
        self._ears.listen(kind, heard)

    async def start(self, epoch: str, key: bytes, node: str) -> None:
        self._node, self._key, self._prefix = node, key, f"hongyan.{epoch}"
        await self._connect()
        self._task = asyncio.create_task(self._run(), name="hongyan bus")
        self._asking = asyncio.create_task(self._ask(), name="hongyan bus asks")

    async def close(self) -> None:
        for task in (self._task, self._asking):
            if task is not None:
                await _ended(task)
        self._task = self._asking = None
        if self._client is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._send(self._client)
                    await self._client.flush(1)
        await self._drop()

    def publish(self, message: Message, to: str | None = None) -> None:
        if to is None or to == self._node:
            self._ears.hear(message)
            if to is not None:
                return
        if self._task is None or self._client is None:
            self.counts.lost += 1
        elif to is not None:
            self._put(f"{self._prefix}.node.{to}", message)
        elif isinstance(message, Batch):
            for part in _parts(message):
                self._put(f"{self._prefix}.log", part)
        else:
            self._put(f"{self._prefix}.signals", message)

    def _put(self, subject: str, message: Any) -> None:
        self._number += 1
        signed = _HEAD.pack(self._node.encode(), self._number) + self._encode(message)
        sealed = self._mac(subject, signed) + signed
        self._queue.append((subject, sealed))
        self._queue_bytes += len(sealed)
        while self._queue_bytes > _QUEUE_BYTES:
            _, oldest = self._queue.popleft()
            self._queue_bytes -= len(oldest)
            self.counts.lost += 1
        self._queued.set()

    def _mac(self, subject: str, signed: bytes) -> bytes:
        return blake2b(signed, digest_size=_MAC_BYTES, key=self._key, salt=_salt(subject)).digest()

    def _opened(self, subject: str, data: bytes) -> bytes | None:
        """What a node of this cluster says for the first time; None for what is forged, or was recorded and is sent again."""
        signed = data[_MAC_BYTES:]
        if len(signed) < _HEAD.size or not hmac.compare_digest(data[:_MAC_BYTES], self._mac(subject, signed)):
            return None
        node, number = _HEAD.unpack_from(signed)
        if number <= self._heard.get((node, subject), 0):
            return None
        self._heard.pop((node, subject), None)  # the newest are at the end
        self._heard[node, subject] = number
        if len(self._heard) > _MOST_SENDERS:
            del self._heard[next(iter(self._heard))]
        return signed[_HEAD.size :]

    async def _run(self) -> None:
        while True:
            if self._client is None:
                await asyncio.sleep(_RETRY_SECONDS)
                await self._connect()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS):
                    await self._queued.wait()
            self._queued.clear()
            await self._send(self._client)

    async def _ask(self) -> None:
        """A network that stands still says nothing: only a question that is not answered shows it."""
        while True:
            await asyncio.sleep(_ASK_SECONDS)
            client = self._client
            if client is not None:
                self._asked = True
                try:
                    await client.flush(_ANSWER_SECONDS)
                except Exception as error:
                    await self._lost(client, error)
                self._asked = False

    async def _send(self, client: Client) -> None:
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                while self._queue:
                    subject, payload = self._queue.popleft()
                    self._queue_bytes -= len(payload)
                    self.counts.sent += 1
                    try:
                        await client.publish(subject, payload)
                    except MaxPayloadError:
                        self.counts.lost += 1
                        log.error("NATS takes messages of %d bytes only: raise its max_payload", client.max_payload)
            if not client.is_connected:
                raise ConnectionError("the connection was lost")
        except Exception as error:
            await self._lost(client, error)

    async def _connect(self) -> None:
        client = Client()

        async def closed() -> None:
            await self._lost(client, ConnectionError("the connection was lost"))

        reasons: list[Exception] = []

        async def told(error: Exception) -> None:
            self.counts.lost += isinstance(error, SlowConsumerError)
            reasons[:] = [error]

        try:
            async with asyncio.timeout(5.0):
                await client.connect(
                    servers=list(await self._servers()),
                    name=f"hongyan {self._node}",
                    no_echo=True,
                    allow_reconnect=False,  # we do it, since where NATS is may have changed
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=2,
                    closed_cb=closed,
                    disconnected_cb=closed,
                    error_cb=told,
                )
                for subject in ("log", "signals", f"node.{self._node}"):
                    await client.subscribe(f"{self._prefix}.{subject}", cb=self._arrived, pending_bytes_limit=_PENDING_BYTES)
                await client.flush(2)
        except Exception as error:
            self._is_away(reasons[0] if reasons and isinstance(error, NoServersError) else error)
            with contextlib.suppress(Exception):
                await client.close()
            return
        self._client = client
        self._queue.clear()  # what nobody heard meanwhile is old
        self._queue_bytes = 0
        log.info("the bus is there")
        self._told_away = False
        self.trouble = None

    def _is_away(self, error: BaseException) -> None:
        if not self._told_away:
            self._told_away = True
            log.warning("the bus is away, other nodes are followed through the store: %s", _told(error))
        self.trouble = f"The bus cannot be reached: {_told(error)}"

    async def _lost(self, client: Client, error: Exception) -> None:
        if self._client is client:
            self._is_away(error)
            await self._drop()

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1.0):
                    await client.close()

    async def _arrived(self, message: Msg) -> None:
        self.counts.received += 1
        payload = self._opened(message.subject, message.data)
        if payload is None:
            self.counts.refused += 1
            return
        try:
            found = self._decode(payload)
        except msgspec.MsgspecError as error:  # a node of another version
            self.counts.refused += 1
            log.warning("a message of another node cannot be read: %s", error)
            return
        try:
            if isinstance(found, News):
                self._ears.hear(found.batch)
            elif isinstance(found, Range):
                self._ears.hear(Batch(found.first, found.last, ()))
            else:
                self._ears.hear(found)
        except Exception:
            log.exception("a message of another node could not be worked on")


async def _ended(task: "asyncio.Task[None]") -> None:
    """It is told until it has: `asyncio.wait_for`, by which the client waits, loses a cancellation that comes with an answer."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)


@functools.cache
def _salt(subject: str) -> bytes:
    """What is signed for one subject is good on no other."""
    return blake2b(subject.encode(), digest_size=16).digest()


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _parts(batch: Batch) -> list[News | Range]:
    """As many messages as it takes; one event that is too large for any is named only."""
    sizes = [len(event.content) + _ENVELOPE for event in batch.events]
    if sum(sizes) <= _MOST_BYTES:
        return [News(batch)]
    parts: list[News | Range] = []
    some: list[Any] = []
    room = _MOST_BYTES
    for event, size in zip(batch.events, sizes, strict=True):
        if some and size > room:
            parts.append(News(Batch(some[0].position, some[-1].position, some)))
            some, room = [], _MOST_BYTES
        if size > _MOST_BYTES:
            parts.append(Range(event.position, event.position))
        else:
            some.append(event)
            room -= size
    if some:
        parts.append(News(Batch(some[0].position, some[-1].position, some)))
    return parts
