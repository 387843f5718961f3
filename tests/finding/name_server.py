"""A name server of one's own. To be replaced by NameServer of tests/counterparts/dns.py."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hongyan.finding import resolver


def _free_port() -> int:
    """Free for datagrams and for streams: dnsmasq listens for both."""
    while True:
        with socket.socket() as streams, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            streams.bind(("127.0.0.1", 0))
            try:
                datagrams.bind(streams.getsockname())
            except OSError:
                continue
            return int(streams.getsockname()[1])


class NameServer:
    """dnsmasq on a free loopback port. `says` are lines of its configuration; the last ones count."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self._file = folder / "dnsmasq.conf"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def says(self, *lines: str) -> None:
        self.stop()
        self._file.write_text("\n".join([*lines, "txt-record=ready.example.org,yes", ""]))
        command = ["/usr/sbin/dnsmasq", "--keep-in-foreground", f"--conf-file={self._file}", f"--port={self.port}"]
        command += ["--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts", "--pid-file"]
        command += ["--local=/example.org/", "--local=/hongyan.test/", "--log-facility=/dev/null"]
        command += [f"--user={pwd.getpwuid(os.getuid()).pw_name}"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        asked = resolver(self.address)
        asked.timeout = 0.05

        async def ready() -> None:
            while True:
                assert self._process is not None
                assert self._process.poll() is None
                try:
                    await asked.resolve("ready.example.org", "TXT", lifetime=0.2)
                    return
                except Exception:
                    await asyncio.sleep(0.01)

        asyncio.run(asyncio.wait_for(ready(), 10))

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running(folder: Path) -> Iterator[NameServer]:
    """For a fixture: stopped until it `says` something, gone at the end."""
    if shutil.which("dnsmasq", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("there is no dnsmasq")
    server = NameServer(folder)
    try:
        yield server
    finally:
        server.stop()
