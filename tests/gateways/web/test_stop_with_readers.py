"""A server that is stopped while somebody reads events over plain HTTP."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Person, Server


@pytest.mark.parametrize("address", ["/v1/events/sse", "/v1/events?wait=20"])
def test_stop_with_a_reader_logs_no_error(tmp_path: Path, address: str) -> None:
    with Server(tmp_path / "data") as server:
        (ann,) = server.people("ann")
        with _reading(ann, address if "?" not in address else f"{address}&after={ann.cursor()}"):
            assert server.stop() == 0
        assert "error" not in server.output().lower()


@contextlib.contextmanager
def _reading(person: Person, address: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", person.server.port), 10) as one:
        one.sendall(f"GET {address} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n".encode())
        if "sse" in address:
            assert one.recv(65_536).startswith(b"HTTP/1.1 200")
        yield one
