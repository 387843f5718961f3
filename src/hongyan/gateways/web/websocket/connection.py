"""One WebSocket connection: the frames of a client become calls of the services.

The hot path is a send: one decode and one call here, one acknowledgement in `writing.py`.
"""

import asyncio
import math
from collections.abc import Coroutine
from functools import partial
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from hongyan.core.errors import Forbidden, HongyanError, Invalid, Overloaded, RateLimited
from hongyan.core.model import Caller
from hongyan.gateways.web.problems import unexpected
from hongyan.gateways.web.websocket.codec import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Codec,
    Do,
    DoOwn,
    Ping,
    Presence,
    Read,
    Request,
    Send,
    Typing,
    close_frame,
    control,
)
from hongyan.gateways.web.websocket.context import Context
from hongyan.gateways.web.websocket.deflate import Deflater
from hongyan.gateways.web.websocket.message import PROTOCOL_ERROR, Message, Violation
from hongyan.gateways.web.websocket.output import Frames
from hongyan.gateways.web.websocket.writing import Writer
from hongyan.messaging import Session, Verdict

_TASKS = 32
"""Calls other than sends that one connection may have under way."""
_ERROR_COST = 4
"""Frames that a refused frame counts for, besides itself."""
_CALM_DOWN = 10.0
_EMBEDDED_RATE = (5.0, 50)
"""Frames of an embedded page, a second and at once: whoever visits a site may be behind it."""
_KINDS = {TEXT: WSMsgType.TEXT, BINARY: WSMsgType.BINARY}
_DATA = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)


class Connection(WSListener):
    """picows calls the `on_ws_*` methods and `pause_writing`; `wake` and `end` are given to the session."""

    __slots__ = (
        "_burst", "_compresses", "_context", "_credit", "_earned_at", "_kind", "_message", "_most", "_open", "_rate", "_running",
        "_sender", "_session", "_silent", "_slot", "_transport", "_writer", "caller", "codec", "heard", "verdict", "wake",
    )  # fmt: skip

    def __init__(
        self, context: Context, transport: asyncio.Transport, caller: Caller, codec: Codec, deflater: Deflater | None
    ) -> None:
        self._context = context
        self._sender = context.sender
        self._transport = transport
        self.caller = caller
        self.codec = codec
        self._writer = Writer(context, transport, codec, deflater, self.end)
        self.wake = self._writer.wake
        self._kind: WSMsgType | None = _KINDS[codec.opcode]
        """What a data frame is. None when no more are taken: that sends `on_ws_frame` the slow way, which asks why."""
        self._most = context.frame_bytes
        self._compresses = deflater is not None
        self._session: Session | None = None
        self._open = False
        self._slot = 0
        self._message: Message | None = None
        """One that comes in fragments."""
        self._rate, self._burst = context.rate, context.burst
        self._credit: float = self._burst
        self._earned_at = context.loop.time()
        self._running = 0
        self._silent = 0
        self.heard = True
        self.verdict: Verdict | None = None
        """Why it was ended before it was open."""

    def begin(self, session: Session, welcome: bytes = b"") -> None:
        """It is open. `welcome` is the first thing the client is told."""
        if self.caller.only is not None:
            self._rate, self._burst = _EMBEDDED_RATE
            self._credit = min(self._credit, self._burst)
        self._session = session
        self._open = True
        self._context.open += 1
        self._slot = self._context.upkeep.add(self)
        self._writer.begin(session, welcome)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.heard = True
        self._credit -= 1
        if (
            self._credit >= 0
            and frame.msg_type is self._kind
            and frame.fin
            and not frame.rsv1
            and not frame.rsv2
            and not frame.rsv3
            and self._message is None
            and frame.payload_size <= self._most
        ):
            data = frame.get_payload_as_bytes()
        else:
            found = self._unusual(frame)
            if found is None:
                return
            data = found
        try:
            request = self.codec.request(data)
            if type(request) is Send:
                self._sender.submit(
                    self.caller,
                    request.conversation,
                    request.client_id,
                    request.content,
                    partial(self._writer.sent, request.ref),
                )
            else:
                self._call(request)
        except HongyanError as error:
            self._refuse(self.codec.ref_of(data), error)
        except Exception as error:
            self._refuse(self.codec.ref_of(data), unexpected(error, "a WebSocket frame"))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.leave()
        self._context.upkeep.closed(self)

    def pause_writing(self) -> None:
        self._writer.pause()

    def resume_writing(self) -> None:
        self._writer.resume()

    def visit(self, frames: Frames) -> None:
        """Tell where the reader is, and see whether anybody is there."""
        if self._writer.full:
            return  # it is not read from either; the upkeep sees to it that this ends
        if self.heard:
            self.heard = False
            self._silent = 0
        else:
            self._silent += 1
            if self._silent == 2:
                self._writer.tell(control(PING))
            elif self._silent > 2:
                self.drop()
                return
        self._writer.beat(frames)

    def end(self, verdict: Verdict) -> None:
        """The server ends it, and says what to do next."""
        if self._session is None:
            self.verdict = verdict
        self.leave(self.codec.close(verdict))

    def leave(self, last: bytes = b"") -> None:
        """Say the last words and give back what an open connection holds. The peer closes then, or is cut."""
        if not self._open:
            return
        self._open = False
        self._kind = self._message = None
        self._context.open -= 1
        self._context.upkeep.remove(self, self._slot)
        self._context.upkeep.closing(self)
        self._writer.stop(last)
        if self._session is not None:
            self._session.close()
            self._session = None

    def drop(self) -> None:
        """Cut it without a word."""
        self._transport.abort()

    def _call(self, request: Request) -> None:
        if type(request) is Ping:
            self._writer.tell(self.codec.pong(request.ref, self._writer.cursor()))
            return
        if self.caller.only is not None and type(request) is not Do:
            raise Forbidden("An embedded page may read its conversation, write into it and react; nothing else")
        self._context.messaging.log.require_fresh()  # its token may have ended elsewhere
        if type(request) is Do:
            self._start(request.ref, self._act(request))
        elif type(request) is DoOwn:
            self._start(request.ref, self._own(request))
        elif type(request) is Read:
            self._start(request.ref, self._read(request))
        elif type(request) is Typing:
            self._start(request.ref, self._typing(request))
        elif type(request) is Presence:
            self._context.messaging.presence.set_status(self.caller, request.status, request.text)
            self._done(request.ref)
        else:
            raise Invalid("This connection is logged in already")

    async def _act(self, request: Do) -> None:
        placed = await self._context.messaging.acts.act(self.caller, request.conversation, request.act, request.client_id)
        self._writer.tell(self.codec.sent(request.ref, placed.seq, placed.position, placed.time))

    async def _own(self, request: DoOwn) -> None:
        position = await self._context.messaging.owning.do(self.caller, request.act, request.client_id)
        self._writer.tell(self.codec.positioned(request.ref, position))

    async def _read(self, request: Read) -> None:
        mark = await self._context.messaging.receipts.read(self.caller, request.conversation, request.seq)
        if request.ref is not None:
            self._writer.tell(self.codec.marked(request.ref, mark))

    async def _typing(self, request: Typing) -> None:
        await self._context.messaging.presence.typing(self.caller, request.conversation, request.typing)
        self._done(request.ref)

    def _done(self, ref: int | None) -> None:
        if ref is not None:
            self._writer.tell(self.codec.done(ref))

    def _refuse(self, ref: int | None, error: HongyanError) -> None:
        self._credit -= _ERROR_COST
        self._writer.tell(self.codec.error(ref, error))

    def _start(self, ref: int | None, call: Coroutine[Any, Any, None]) -> None:
        """Run a call beside the reading. Raises Overloaded when too many are under way."""
        if self._running >= _TASKS:
            call.close()
            raise Overloaded("Too many calls of this connection are under way", retry_after=0.5)
        self._running += 1
        self._context.task(self._run(ref, call))

    async def _run(self, ref: int | None, call: Coroutine[Any, Any, None]) -> None:
        try:
            await call
        except HongyanError as error:
            self._refuse(ref, error)
        except Exception as error:
            self._refuse(ref, unexpected(error, "a call on a WebSocket"))
        finally:
            self._running -= 1

    def _unusual(self, frame: WSFrame) -> bytes | None:
        """A frame that is not one whole, plain message within the rate. Gives the message if one is complete now."""
        kind = frame.msg_type
        if kind is WSMsgType.CLOSE:
            self._closed_by_peer(frame.get_payload_as_bytes())
            return None
        if not self._open:
            return None
        over = self._credit < 0 and not self._earn()
        if over and self._credit < -self._burst:
            self.end(Verdict("later", _CALM_DOWN, "You are sending much faster than allowed"))
            return None
        try:
            if frame.rsv2 or frame.rsv3 or (frame.rsv1 and not (self._compresses and kind in _DATA)):
                raise Violation(PROTOCOL_ERROR, "A reserved bit is set")
            if kind in _DATA:
                return self._assemble(frame, over)
        except Violation as violation:
            self.leave(close_frame(violation.code, violation.reason))
            return None
        if kind is WSMsgType.PING and not over:
            self._writer.tell(control(PONG, frame.get_payload_as_bytes()))
        return None

    def _assemble(self, frame: WSFrame, over: bool) -> bytes | None:
        """The message that this frame completes, if it may be worked on. Raises Violation."""
        context = self._context
        message = self._message or Message(context.frame_bytes, context.hard_frame_bytes)
        message.add(frame.msg_type.value, bool(frame.rsv1), frame.get_payload_as_memoryview())
        if not frame.fin:
            self._message = message
            return None
        self._message = None
        data = message.whole()
        try:
            message.check(self.codec.opcode, data)
        except HongyanError as error:
            self._refuse(self.codec.ref_of(data), error)
            return None
        if over:
            wait = max((1 - self._credit) / self._rate, 0.05)
            limited = RateLimited("You are sending faster than allowed", retry_after=math.ceil(wait * 100) / 100)
            self._writer.tell(self.codec.error(self.codec.ref_of(data), limited))
            return None
        return data

    def _earn(self) -> bool:
        """Add what was earned since the last time; whether a frame may be taken. The clock is looked at only here."""
        now = self._context.loop.time()
        self._credit = min(self._burst, self._credit + (now - self._earned_at) * self._rate)
        self._earned_at = now
        return self._credit >= 0

    def _closed_by_peer(self, payload: bytes) -> None:
        """Give the code back and hang up (RFC 6455, 5.5.1)."""
        self.leave(control(CLOSE, payload[:2]))
        self._transport.close()
