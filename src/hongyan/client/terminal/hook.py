"""--on-message: a program that is started for each message, one after the other. No shell ever sees a message."""

import asyncio
import contextlib
import os
import shlex
from collections.abc import Callable

import msgspec

from hongyan.client.model import Event

_LONGEST = 32_000
"""Characters of a text in the environment (Linux takes 128 KiB for a variable); standard input has all of it."""
_PATIENCE = 2.0
"""Seconds that a program has to end when it is told to."""


class Hook:
    """Gives each message as JSON on standard input and in HONGYAN_* variables; its output goes to `show`.

    Raises ValueError for a command with a quote that does not end.
    """

    def __init__(self, command: str, show: Callable[[str], None], failed: Callable[[str, str], None]) -> None:
        self._command = command
        self._words = shlex.split(command)
        self._show = show
        self._failed = failed

    async def message(self, event: Event, *, name: str, title: str, own: bool) -> None:
        """Run it and wait for its end, so that the order is kept; a slow program holds back what comes after."""
        values = {
            "CONVERSATION": event.conversation,
            "TITLE": title,
            "SEQ": str(event.seq),
            "SENDER": event.sender or "",
            "SENDER_NAME": name,
            "TIME": str(event.time),
            "TEXT": event.text[:_LONGEST],
            "OWN": "1" if own else "0",
        }
        environment = os.environ | {f"HONGYAN_{key}": value.replace("\0", "") for key, value in values.items()}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=environment,
            )
        except (OSError, TypeError, ValueError) as error:
            self._failed(self._command, str(error))
            return
        try:
            output, _ = await process.communicate(msgspec.json.encode(event) + b"\n")
        finally:
            await _end(process)
        if output.strip():
            self._show(output.decode(errors="replace").rstrip("\n"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the program if it still runs."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE)
            except TimeoutError:
                process.kill()
                await process.wait()
