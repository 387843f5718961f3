"""One CIM connection as a state machine, sans I/O: bytes and ticks go in, and come out as what is to be done.

It begins as a stranger, of whom nothing but a log-in is taken, in bounded time and bytes. Then it is a client who says ping now
and then, and hears everything else.
"""

from typing import Literal

import msgspec

from hongyan.gateways.cim.codec import BadFrame, Decoder, Frame, encode

_LOGIN_BYTES = 4_096
"""Of everything before the log-in: a number, a name, a token, and what is sent behind it without waiting."""
_NAME_LENGTH = 512
PONG = encode(Frame("ping", 0, "pong"))


class LogIn(msgspec.Struct, frozen=True):
    """Find out whether they may come in, and call `admitted`."""

    number: int
    name: str
    """The account's name, or the name, a space, and a token."""


class Write(msgspec.Struct, frozen=True):
    data: bytes


class Close(msgspec.Struct, frozen=True):
    """The last thing that is to be done."""

    reason: str
    """A word for the metrics: `protocol`, `idle`, `late`."""
    detail: str
    """A sentence for the log."""


Effect = LogIn | Write | Close


class Session:
    """Times are seconds of one clock that never goes back."""

    __slots__ = ("_decoder", "_frame_bytes", "_idle", "_login", "_pings", "_since", "frames", "number", "state")

    def __init__(self, now: float, *, frame_bytes: int, idle_seconds: float, login_seconds: float) -> None:
        self._decoder = Decoder(min(frame_bytes, _LOGIN_BYTES))
        self._frame_bytes = frame_bytes
        self._idle = idle_seconds
        self._login = login_seconds
        self._pings = 0
        """That wait for an answer."""
        self._since = now
        """When it began; after the log-in, when it was last heard."""
        self.state: Literal["stranger", "asking", "in", "closed"] = "stranger"
        self.number = 0
        self.frames = 0
        """That have come."""

    @property
    def stranger(self) -> bool:
        """It has not logged in."""
        return self.state in ("stranger", "asking")

    def received(self, data: bytes, now: float) -> list[Effect]:
        """What came."""
        effects: list[Effect] = []
        if self.state == "in":
            self._since = now
        try:
            if self.stranger and self._decoder.waiting + len(data) > _LOGIN_BYTES:
                raise BadFrame(f"more than {_LOGIN_BYTES} bytes before the log-in")
            if self.state == "closed":
                return effects
            for frame in self._decoder.feed(data):
                self.frames += 1
                self._take(frame, effects)
        except BadFrame as fault:
            self._close(effects, "protocol", str(fault))
        return effects

    def admitted(self, now: float) -> list[Effect]:
        """They are in. Who has said ping meanwhile hears only now that all is well."""
        if self.state != "asking":
            return []
        self.state = "in"
        self._since = now
        self._decoder.most = self._frame_bytes
        pings, self._pings = self._pings, 0
        return [Write(PONG * pings)] if pings else []

    def tick(self, now: float) -> list[Effect]:
        """Time has passed."""
        effects: list[Effect] = []
        if self.state == "in":
            if now - self._since >= self._idle:
                self._close(effects, "idle", f"nothing was heard for {self._idle:g} s")
        elif self.stranger and now - self._since >= self._login:
            self._close(effects, "late", f"no log-in within {self._login:g} s")
        return effects

    def closed(self) -> None:
        """The connection has ended, or is about to."""
        self.state = "closed"

    def _take(self, frame: Frame, effects: list[Effect]) -> None:
        if self.state == "closed":
            return
        if self.state == "stranger":
            if frame.command != "login":
                raise BadFrame(f"{frame.command} before the log-in")
            if len(frame.text) > _NAME_LENGTH:
                raise BadFrame("the name at the log-in is too long")
            self.state = "asking"
            self.number = frame.id
            effects.append(LogIn(frame.id, frame.text))
        elif frame.command == "ping" and self.state == "asking":
            self._pings += 1
        elif frame.command == "ping":
            effects.append(Write(PONG))
        elif frame.command == "login" and frame.id != self.number:
            raise BadFrame("a second log-in, as somebody else")
        # A message that comes over TCP goes nowhere, as in the original: clients send through the route.

    def _close(self, effects: list[Effect], reason: str, detail: str) -> None:
        self.state = "closed"
        effects.append(Close(reason, detail))
