"""Runs a program and sees to it that nothing of it outlives whoever asked for it.

    python keeper.py USER LOG PROGRAM ARGUMENT...

Says the program's process id in a line. Then obeys lines on its input, each answered with a line: `freeze` and `thaw`. The end of
the input, which also comes when the asker dies, kills the program with all its descendants: first everything is stopped, so that
nobody sees anybody die. When the program ends by itself the rest is killed, and its exit code is the keeper's.

A parent-death signal would be lost at the change of user and reaches no child of a child; a process group is left by each backend
of PostgreSQL. So this process is the subreaper of them all, and finds them in /proc.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def descendants() -> dict[int, str]:
    """All processes below this one with their states, parents first, without those that have ended."""
    children: dict[int, list[int]] = {}
    states: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it has just ended
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    children.setdefault(int(parent), []).append(int(folder.name))
                    states[int(folder.name)] = state
    found = [os.getpid()]
    for process in found:
        found += children.get(process, [])
    return {process: states[process] for process in found[1:]}


def tell(number: signal.Signals) -> None:
    for process in descendants():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def freeze() -> None:
    """Until all are stopped in two looks: one that ran at the first may have made another."""
    before, now = {}, descendants()
    while now != before or set(now.values()) - {"T"}:
        tell(signal.SIGSTOP)
        time.sleep(0.001)
        before, now = now, descendants()


def end() -> None:
    freeze()
    tell(signal.SIGKILL)


def reap(program: int) -> None:
    """Waits for all of them, and ends this process."""
    code = 0
    while True:
        try:
            process, status = os.wait()
        except ChildProcessError:
            os._exit(code if code >= 0 else 128 - code)
        if process == program:
            code = os.waitstatus_to_exitcode(status)
            end()


def main(user: str, log: str, *command: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    who = {"user": user, "group": user, "extra_groups": []} if user else {}
    with open(log, "ab") as output:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **who)  # type: ignore[call-overload]
    print(program.pid, flush=True)
    reaper = threading.Thread(target=reap, args=(program.pid,))
    reaper.start()
    for line in sys.stdin:
        freeze() if line == "freeze\n" else tell(signal.SIGCONT)
        print("done", flush=True)
    end()
    reaper.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
