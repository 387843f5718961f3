"""How far a long work is: one line that changes on a terminal, a line now and then elsewhere."""

import shutil
from time import monotonic
from typing import TextIO

_TERMINAL_SECONDS = 0.1
_PLAIN_SECONDS = 5.0


class Progress:
    """Called with what is done, with which part, and how much of how much. `out` is not where the result goes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._what = ""
        self._began = (0.0, 0)
        self._next = 0.0
        self._line = ""

    def __call__(self, what: str, part: str, done: int, total: int) -> None:
        now = monotonic()
        if what != self._what:
            self.end()
            self._what, self._began = what, (now, done)
            self._next = 0.0 if self._terminal else now + _PLAIN_SECONDS
        since, at_first = self._began
        rate = (done - at_first) / (now - since) if now - since > 0.5 else 0.0
        self._line = _line(what, part, done, total, rate)
        if now >= self._next:
            self._show(self._line)
            self._next = now + (_TERMINAL_SECONDS if self._terminal else _PLAIN_SECONDS)

    def end(self) -> None:
        """What was last told stays to be read."""
        if self._line:
            self._show(self._line)
            if self._terminal:
                self._out.write("\n")
                self._out.flush()
            self._line = ""

    def _show(self, line: str) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r{line[:width]:<{width}}")
        else:
            self._out.write(f"{line}\n")
        self._out.flush()


def _line(what: str, part: str, done: int, total: int, rate: float) -> str:
    share = done / total if total else 1.0
    bar = "#" * int(15 * share)
    told = f"{what:<9} {part:<14} [{bar:<15}] {100 * share:3.0f} %"
    if rate:
        seconds = int(max(0, total - done) / rate)
        told += f" {rate:>9,.0f} rows/s {seconds // 60:>3}:{seconds % 60:02} left"
    return told
