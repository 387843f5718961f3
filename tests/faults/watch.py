"""A time of day that jumps, for processes of Python that are started with its environment.

Debian's libfaketime does not do: with its monotonic clock left alone (FAKETIME_DONT_FAKE_MONOTONIC) `time.sleep` raises OSError,
because Python sleeps until a moment (clock_nanosleep with TIMER_ABSTIME), and the thread that writes the store ends. And with
the monotonic clock moved along nothing would be tested: no machine's does that.
"""

import mmap
import os
import struct
from pathlib import Path

_WOUND = Path(__file__).with_name("wound")
_SECONDS = struct.Struct("<q")


class Watch:
    """Right at first. `path` is a file of its own, which the processes look into whenever they ask for the time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.ahead = 0
        """Seconds."""
        path.write_bytes(_SECONDS.pack(0))

    @property
    def environment(self) -> dict[str, str]:
        """`time.time` and `time.time_ns` follow the watch; `time.monotonic` does not, nor does what is written in C."""
        return {"WATCH": str(self._path), "PYTHONPATH": os.pathsep.join([str(_WOUND), os.environ.get("PYTHONPATH", "")])}

    def jump(self, seconds: float) -> None:
        """At once, in all of them. Whole seconds."""
        self.ahead += int(seconds)
        with self._path.open("r+b") as file, mmap.mmap(file.fileno(), _SECONDS.size) as told:
            _SECONDS.pack_into(told, 0, self.ahead)
