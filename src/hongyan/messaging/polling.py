"""Short and long polling: a session for the length of one request."""

import asyncio

from hongyan.core.errors import NotAuthenticated, Overloaded
from hongyan.core.model import Caller, TransportName
from hongyan.messaging.sessions import Chunk, Session, Sessions, Verdict


async def poll(
    sessions: Sessions,
    caller: Caller,
    cursor: str | None,
    limit: int,
    wait: float,
    transport: TransportName,
    gone: asyncio.Event | None,
) -> Chunk:
    """What came after `cursor`, up to `limit` events; waits up to `wait` seconds for something to come.

    `gone` is set when the client has hung up: then the answer is empty and nobody reads it. Raises what Sessions.open raises,
    NotAuthenticated when the token ends while waiting, Overloaded when the server stops meanwhile.
    """
    awake = asyncio.Event()
    verdicts: list[Verdict] = []

    def close(verdict: Verdict) -> None:
        verdicts.append(verdict)
        awake.set()

    session = await sessions.open(caller, transport, cursor, awake.set, close)
    try:
        chunk = await _something(session, limit)
        if wait > 0 and _empty(chunk):
            await _wait(awake, gone, wait)
            if verdicts:
                _raise(verdicts[0])
            if not session.closed:
                chunk = await _something(session, limit)
        return chunk
    except NotAuthenticated:
        if verdicts:  # ended while the log was read, and not always because of the token
            _raise(verdicts[0])
        raise
    finally:
        session.close()


async def _something(session: Session, limit: int) -> Chunk:
    """The next chunk that is not empty, or an empty one when the session is up to date."""
    while True:
        chunk = await session.next(limit)
        if not _empty(chunk) or not session.behind:
            return chunk


def _empty(chunk: Chunk) -> bool:
    return not chunk.entries and not chunk.signals and chunk.limited is None


async def _wait(awake: asyncio.Event, gone: asyncio.Event | None, wait: float) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (awake, gone) if event is not None]
    try:
        await asyncio.wait(waiting, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


def _raise(verdict: Verdict) -> None:
    if verdict.do == "login":
        raise NotAuthenticated(verdict.reason)
    raise Overloaded(verdict.reason, retry_after=verdict.after)
