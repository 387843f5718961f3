"""--on-message: a program that is started for each message, one after the other. No shell ever sees a message."""

import asyncio
import contextlib
import os
import shlex
from collections.abc import Callable

import msgspec

from hongyan.client.model import Event


class Hook:
    """Gives each message as JSON on standard input and in HONGYAN_* variables; its output goes to `show`."""

    def __init__(self, command: str, show: Callable[[str], None], failed: Callable[[str, str], None]) -> None:
        self._command = command
        self._words = shlex.split(command)
        self._show = show
        self._failed = failed
        self._running: asyncio.subprocess.Process | None = None

    async def message(self, event: Event, *, name: str, title: str, own: bool) -> None:
        """Run it and wait for its end, so that the order is kept; a slow program holds back what comes after."""
        values = {
            "CONVERSATION": event.conversation,
            "TITLE": title,
            "SEQ": str(event.seq),
            "SENDER": event.sender or "",
            "SENDER_NAME": name,
            "TIME": str(event.time),
            "TEXT": event.text,
            "OWN": "1" if own else "0",
        }
        environment = os.environ | {f"HONGYAN_{key}": value.replace("\0", "") for key, value in values.items()}
        try:
            self._running = process = await asyncio.create_subprocess_exec(
                *self._words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment
            )
        except (OSError, IndexError, TypeError) as error:
            self._failed(self._command, str(error))
            return
        try:
            output, _ = await process.communicate(msgspec.json.encode(event) + b"\n")
        finally:
            await self.close()
        if output.strip():
            self._show(output.decode(errors="replace").rstrip("\n"))

    async def close(self) -> None:
        """End the program if it still runs."""
        process, self._running = self._running, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
