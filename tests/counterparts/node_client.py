"""npm's `@xmpp/client` in a process of its own: see `node/chat.mjs`."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Any, Self

import pytest

from tests.serving import PASSWORD, SECONDS

NODE = Path(__file__).parent / "node"


def module(name: str) -> Path:
    """Where an npm package is. A test without it is skipped."""
    found = NODE / "node_modules" / name
    if shutil.which("node") is None or not found.exists():
        pytest.skip(f"npm's {name} is not there: scripts/test-modules installs it (Debian package of node: nodejs)")
    return found


class NodeClient:
    """Somebody who is logged in, inside `with`."""

    def __init__(self, service: str, domain: str, user: str, *, certificate: Path | None = None) -> None:
        module("@xmpp/client")
        self._words = ["node", str(NODE / "chat.mjs"), service, domain, user, PASSWORD, "node"]
        trust = {} if certificate is None else {"NODE_EXTRA_CA_CERTS": str(certificate)}
        self._environment = {**os.environ, **trust}
        self._said: Queue[dict[str, Any]] = Queue()
        self.address = self.mechanism = ""
        self.bind2 = False
        """Its resource was bound inside the log-in (XEP-0386)."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environment, text=True, encoding="utf-8"
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            told = self.hear("online")
            self.address, self.mechanism, self.bind2 = told["online"], told["mechanism"], told["bind2"]
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def send(self, to: str, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"to": to, "text": text}) + "\n")
        self._process.stdin.flush()

    def hear(self, what: str) -> dict[str, Any]:
        """The next that it tells, which has this member."""
        deadline = time.monotonic() + 2 * SECONDS
        while True:
            try:
                found = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"@xmpp/client did not tell of {what}") from None
            assert "error" not in found, found
            if what in found:
                return found

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._said.put(json.loads(line))
