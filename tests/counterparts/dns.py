"""A real name server: Debian's dnsmasq, which knows the records of a test and no others."""

import contextlib
import os
import pwd
from collections.abc import Iterable, Sequence
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import msgspec

from .installed import find
from .program import Program, accepts


class A(msgspec.Struct, frozen=True):
    """The address of a name. A name with several addresses has several of these."""

    name: str
    address: str


class SRV(msgspec.Struct, frozen=True):
    """Where a service is, as in RFC 2782: `SRV("_hongyan._tcp.example.test", "node1.example.test", 8440)`."""

    service: str
    target: str
    port: int
    priority: int = 0
    weight: int = 0


class NameServer(Program):
    """Every name without a record is NXDOMAIN; every answer has a time to live of 0. `port` is one of UDP and of TCP."""

    name = "dns"
    datagrams = True

    def __init__(self, directory: Path, records: Iterable[A | SRV] = ()) -> None:
        super().__init__(directory)
        self._program = find("/usr/sbin/dnsmasq", "dnsmasq")
        self._configuration = directory / "dnsmasq.conf"
        self._write(records)

    def set(self, records: Iterable[A | SRV]) -> None:
        """These in the place of all before. It restarts; when this returns, it answers with the new ones."""
        self._write(records)
        if self.runs:
            self.kill()
            self.start()

    def command(self) -> Sequence[str | Path]:
        alone = [
            "--no-daemon",
            "--keep-in-foreground",
            "--no-resolv",
            "--no-hosts",
            "--pid-file=",
            "--cache-size=0",
            "--log-queries",
        ]
        where = ["--listen-address=127.0.0.1", "--bind-interfaces", f"--port={self.port}"]
        user = pwd.getpwuid(os.geteuid()).pw_name
        return [self._program, *alone, *where, f"--user={user}", f"--conf-file={self._configuration}"]

    def ready(self) -> bool:
        if not accepts(self.port):  # an answer that nobody gives would be waited for
            return False
        with contextlib.suppress(OSError, dns.exception.Timeout):
            dns.query.udp(dns.message.make_query("ready.test", "A"), "127.0.0.1", timeout=1, port=self.port)
            return True
        return False

    def _write(self, records: Iterable[A | SRV]) -> None:
        lines = ["address=/#/"]  # no address: NXDOMAIN for whatever has no line of its own
        for record in records:
            match record:
                case A(name, address):
                    lines.append(f"host-record={name},{address}")
                case SRV(service, target, port, priority, weight):
                    lines.append(f"srv-host={service},{target},{port},{priority},{weight}")
        self._configuration.write_text("\n".join(lines) + "\n")
