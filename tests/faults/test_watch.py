"""The time of day jumps, and nothing else does."""

import subprocess
import sys
import time
from pathlib import Path

from tests.faults.watch import Watch

_TELLS = """
import sys, time
for _ in sys.stdin:
    began = time.monotonic()
    time.sleep(0.01)
    print(round(time.time()), time.time_ns() // 10**9, time.monotonic() - began < 60, flush=True)
"""


def test_time_of_day_jumps_in_a_running_process(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "watch")
    command = [sys.executable, "-c", _TELLS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=watch.environment, text=True) as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None
        assert told is not None

        def ahead() -> float:
            print(file=asked, flush=True)
            seconds, same, steady = told.readline().split()
            assert abs(int(seconds) - int(same)) <= 1
            assert steady == "True"
            return int(seconds) - time.time()

        assert abs(ahead()) < 10
        watch.jump(3600)
        assert abs(ahead() - 3600) < 10
        watch.jump(-7200)
        assert abs(ahead() + 3600) < 10
        watch.jump(3600)
        assert abs(ahead()) < 10
        asked.close()
