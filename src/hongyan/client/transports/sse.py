"""Server-sent events: one long answer of GET /v1/events/sse."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import msgspec

from hongyan.client.errors import StreamEnded, TransportBroken, Unreachable, from_answer
from hongyan.client.model import Batch, TransportName
from hongyan.client.rest import Rest
from hongyan.client.sse import EventStreamDecoder, ServerSentEvent


class _Verdict(msgspec.Struct):
    do: str = "resume"
    after: float | None = None
    reason: str = ""


class EventStream:
    """The server says something every 15 seconds; `silence` seconds without a byte mean that the way is broken. The first of
    them must come within `first`: a proxy that collects the answer before it passes it on is found out soon.
    """

    name: TransportName = "sse"

    def __init__(self, rest: Rest, *, silence: float = 40.0, first: float = 20.0) -> None:
        self._rest = rest
        self._silence = silence
        self._first = first

    async def stream(self, cursor: str) -> AsyncGenerator[Batch, None]:
        server = self._rest.server
        headers = self._rest.headers() | {"Accept": "text/event-stream", "Cache-Control": "no-store", "Last-Event-ID": cursor}
        try:
            async with self._rest.http.stream(
                "GET",
                server.url + "/v1/events/sse",
                params={"after": cursor},
                headers=headers | server.headers,
                timeout=httpx.Timeout(15.0, read=self._silence),
                extensions=server.extensions,
            ) as answer:
                if answer.status_code != 200:
                    raise from_answer(answer.status_code, await answer.aread(), answer.headers.get("Retry-After"))
                if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                    raise TransportBroken("the answer is not an event stream")
                yield Batch(opened=True)
                decoder = EventStreamDecoder()
                chunks = answer.aiter_bytes()
                async with asyncio.timeout(self._first):
                    chunk = await anext(chunks, None)
                while chunk is not None:
                    for event in decoder.feed(chunk):
                        yield _batch(event)
                    chunk = await anext(chunks, None)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(str(error)) from error
        except (httpx.RequestError, TimeoutError, msgspec.MsgspecError, ValueError) as error:
            raise TransportBroken(str(error) or type(error).__name__) from error
        raise TransportBroken("the event stream ended without a verdict")


def _batch(event: ServerSentEvent) -> Batch:
    if event.event == "close":
        verdict = msgspec.json.decode(event.data, type=_Verdict)
        raise StreamEnded(verdict.do, verdict.after, verdict.reason)
    batch = msgspec.json.decode(event.data, type=Batch)
    return batch if batch.cursor or not event.id else msgspec.structs.replace(batch, cursor=event.id)
