"""Client ids: UUIDv7 (RFC 9562, section 5.7) that grow with every call, even when the clock goes back."""

import secrets
import time
from collections.abc import Callable


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


class ClientIds:
    """A source of ids. The 74 random bits are counted up within one millisecond (RFC 9562, section 6.2, method 2)."""

    def __init__(self, clock: Callable[[], int] = _milliseconds, bits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._bits = bits
        self._last = 0
        self._count = 0

    def next(self) -> str:
        now = self._clock()
        if now > self._last:
            self._last = now
            self._count = self._bits(73)  # one bit is left free, so that counting up cannot overflow
        else:
            self._count += 1 + self._bits(16)
        high, low = self._count >> 62 & 0xFFF, self._count & (1 << 62) - 1
        value = (self._last & (1 << 48) - 1) << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
