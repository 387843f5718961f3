"""Makes the time of day of this process differ from the machine's by the seconds that a file says: see `tests.faults.watch`.

Python imports a module of this name when it starts, before anything could have kept a reference to `time.time`.
"""

import mmap
import os
import struct
import time


def wind(path: str) -> None:
    with open(path, "rb") as file:
        told = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    seconds, true, true_ns = struct.Struct("<q").unpack_from, time.time, time.time_ns
    time.time = lambda: true() + seconds(told)[0]
    time.time_ns = lambda: true_ns() + seconds(told)[0] * 1_000_000_000


if path := os.environ.get("WATCH"):
    wind(path)
