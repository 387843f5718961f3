"""What a server gives one device, as frames: the same maps on every transport. A feed keeps no rules; who takes its frames does.

Each ends with Lost when it breaks without a verdict, and raises Refused when the server does not let it in.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable

import httpx
import msgspec

from hongyan.client.sse import EventStreamDecoder
from tests.e2e.sockets import Address, Bearer, Frame, Lost, Socket, authorization, open_socket, refusal

_PAUSE = 0.02


async def polled(
    http: httpx.AsyncClient, person: Bearer, cursor: str | None, *, wait: float = 0, limit: int = 100
) -> AsyncGenerator[Frame, None]:
    """Short polls, or with `wait` long ones."""
    waits: float = 0  # the first answer comes at once, so that it is known where "now" is
    while True:
        query = {"after": cursor, "wait": waits or None, "limit": limit}
        params = {name: value for name, value in query.items() if value is not None}
        try:
            answer = await http.get("/v1/events", params=params, headers=authorization(person))
        except httpx.TransportError as error:
            raise Lost(repr(error)) from error
        if answer.status_code != 200:
            raise refusal(answer)
        frame: Frame = answer.json()
        yield frame
        cursor, waits = frame["cursor"], wait
        if not wait and not frame["more"]:
            await asyncio.sleep(_PAUSE)


async def server_sent(http: httpx.AsyncClient, person: Bearer, cursor: str | None) -> AsyncGenerator[Frame, None]:
    headers = authorization(person) | ({"Last-Event-ID": cursor} if cursor else {})
    decoder, closed = EventStreamDecoder(), False
    try:
        async with http.stream("GET", "/v1/events/sse", headers=headers) as answer:
            if answer.status_code != 200:
                await answer.aread()
                raise refusal(answer)
            async for piece in answer.aiter_raw():
                for event in decoder.feed(piece):
                    closed = event.event == "close"
                    yield _of_stream(event.event, event.data, event.id)
    except httpx.TransportError as error:
        raise Lost(repr(error)) from error
    if not closed:
        raise Lost("the event stream ended without a verdict")


def _of_stream(kind: str, data: str, id: str) -> Frame:
    frame: Frame = msgspec.json.decode(data)
    if kind == "close":
        return {"op": "close"} | frame
    if kind == "heartbeat":
        return {"events": [], "cursor": id}
    assert frame["cursor"] == id
    return frame


async def websocket(
    server: Address,
    person: Bearer,
    codec: str,
    cursor: str | None,
    opened: Callable[[Socket], None],
    *,
    seconds: float | None = None,
) -> AsyncGenerator[Frame, None]:
    """`opened` is told the socket, over which one can also send. `seconds` is how long the handshake may take."""
    closed = False
    async with open_socket(server, person, codec, cursor, seconds=seconds) as socket:
        opened(socket)
        async for frame in socket.frames():
            closed = frame["op"] == "close"
            yield frame
    if not closed:
        raise Lost("the WebSocket ended without a verdict")
