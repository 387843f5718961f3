"""XMPP: ours, ejabberd and Prosody with the same clients in one run: raw sockets and stanzas that were built before.

    .venv/bin/python bench/xmpp.py                       # every server that is installed, about five minutes
    .venv/bin/python bench/xmpp.py --quick hongyan       # a look at one

Pairs of people write one-to-one, 120 bytes each, SASL PLAIN without TLS on loopback. The server has one core to itself, the
generator another. Ours keeps every message in its log, on the disk before it is delivered; of the others each is measured as it
keeps nothing and as it keeps an archive (`bench/peers`). Every message has to arrive.
"""

import argparse
import asyncio
import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import uvloop

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from hongyan.bench.command import about, say  # noqa: E402
from hongyan.bench.procfs import machine_busy_seconds, resident_kib, tree_cpu_seconds  # noqa: E402

HERE = Path(__file__).resolve().parent
DOMAIN = "bench.example"
PASSWORD = "pass word"
BODY = "x" * 120
SERVER_CORE, OWN_CORE = 1, 0
_REST_SECONDS = 8.0
"""Of silence, after which servers free what an idle stream does not need (ejabberd: hibernation)."""


class Running(NamedTuple):
    port: int
    pid: int


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(port: int, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


@contextlib.contextmanager
def process(command: list[str], log: Path, user: str = "", **environment: str) -> Iterator[int]:
    """On the server's core; all of it is gone at the end."""
    if user and os.geteuid() == 0:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
    with log.open("w") as out:
        pinned = ["taskset", "-c", str(SERVER_CORE), *command] if (os.cpu_count() or 1) > 1 else command
        started = subprocess.Popen(
            pinned, stdout=out, stderr=out, start_new_session=True, env={**os.environ, **environment}, cwd="/"
        )
    try:
        yield started.pid
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


@contextlib.contextmanager
def hongyan(folder: Path, people: list[str]) -> Iterator[Running]:
    data, port, http = folder / "data", free_port(), free_port()
    users = folder / "users"
    users.write_text("".join(f"{name} {PASSWORD}\n" for name in people))
    cli = [sys.executable, "-m", "hongyan.cli"]
    more = {"HONGYAN_IDENTITY_ITERATIONS": "4096", "HONGYAN_LIMITS_OPENS_BURST": "100000"}
    made = subprocess.run(
        [*cli, "--data", str(data), "user", "import", str(users)], capture_output=True, text=True, env={**os.environ, **more}
    )
    if made.returncode:
        raise SystemExit(made.stderr)
    command = [*cli, "serve", "--data", str(data), "--http", f"127.0.0.1:{http}", "--domain", DOMAIN]
    command += ["--xmpp-c2s", f"127.0.0.1:{port}", "--xmpp-allow-plaintext", "--config", str(HERE / "server.toml")]
    with process(command, folder / "log", **more) as pid:
        until(port)
        yield Running(port, pid)


@contextlib.contextmanager
def prosody(folder: Path, people: list[str], archive: bool) -> Iterator[Running]:
    port = free_port()
    text = (HERE / "peers" / "prosody.cfg.lua").read_text()
    if not archive:
        text = text.replace('"mam", ', "")
    for name, value in (("DIR", str(folder)), ("PORT", str(port)), ("DOMAIN", DOMAIN)):
        text = text.replace(f"@{name}@", value)
    (folder / "prosody.cfg.lua").write_text(text)
    certificate(folder)
    accounts = folder / "data" / DOMAIN.replace(".", "%2e") / "accounts"
    accounts.mkdir(parents=True)
    for name in people:
        (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')
    give(folder, "prosody")
    with process(["prosody", "-F", "--config", str(folder / "prosody.cfg.lua")], folder / "log", "prosody") as pid:
        until(port)
        yield Running(port, pid)


@contextlib.contextmanager
def ejabberd(folder: Path, people: list[str], archive: bool) -> Iterator[Running]:
    port, api = free_port(), free_port()
    text = (HERE / "peers" / "ejabberd.yml").read_text()
    if not archive:
        text = re.sub(r"^  mod_mam:.*\n?", "", text, flags=re.M)
    for name, value in (("DIR", str(folder)), ("PORT", str(port)), ("API", str(api)), ("DOMAIN", DOMAIN)):
        text = text.replace(f"@{name}@", value)
    (folder / "ejabberd.yml").write_text(text)
    certificate(folder)
    give(folder, "ejabberd")
    command = ["ejabberdctl", "--config-dir", "/etc/ejabberd", "--ctl-config", "/dev/null", "--config", f"{folder}/ejabberd.yml"]
    command += ["--logs", f"{folder}/logs", "--spool", f"{folder}/db", "--node", f"bench{port}@localhost", "foreground"]
    environment = {"HOME": str(folder), "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_MAX_PORTS": "65536"}
    with port_mapper(), process(command, folder / "log", "ejabberd", **environment) as pid:
        until(api)
        until(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{api}") as http:
            for name in people:
                http.post("/api/register", json={"user": name, "host": DOMAIN, "password": PASSWORD}).raise_for_status()
        yield Running(port, pid)


@contextlib.contextmanager
def port_mapper() -> Iterator[None]:
    """Erlang's, which the first node starts and nobody ends."""

    def runs() -> bool:
        return subprocess.run(["epmd", "-names"], capture_output=True).returncode == 0

    was_there = runs()
    try:
        yield
    finally:
        end = time.monotonic() + 10
        while not was_there and runs() and time.monotonic() < end:  # it refuses as long as it knows of a node
            subprocess.run(["epmd", "-kill"], capture_output=True)
            time.sleep(0.2)


def certificate(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
    command += ["-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN}"]
    subprocess.run([*command, "-out", folder / "cert.pem", "-keyout", folder / "key.pem"], check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())


def give(folder: Path, user: str) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", user, folder], check=True)
        for parent in [folder, *folder.parents][:3]:
            parent.chmod(parent.stat().st_mode | 0o055)


HEAD = f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
_ID = re.compile(rb"id=['\"]t(\d+)-")


class Client(asyncio.Protocol):
    """Logs in, and counts the messages that come."""

    def __init__(self, name: str, resource: str = "bench") -> None:
        self.name = name
        self._resource = resource
        self._data = b""
        self._wanted: tuple[bytes, asyncio.Future[None]] | None = None
        self.messages = 0
        self.heard: Callable[[int], None] = lambda count: None
        self.latencies: list[float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        if self._wanted is not None:
            self._data += data
            words, future = self._wanted
            if words in self._data:
                self._wanted, self._data = None, b""
                future.set_result(None)
            return
        # A message may be cut between two reads: what is behind the last end is kept.
        data = self._data + data
        count = data.count(b"</message>")
        if self.latencies is not None and count:
            now = time.monotonic_ns()
            self.latencies += [(now - int(one)) / 1e6 for one in _ID.findall(data)]
        at = data.rfind(b"</message>")
        self._data = data[at + 10 :][-4_096:] if at >= 0 else data[-8_192:]
        if count:
            self.messages += count
            self.heard(count)

    async def say(self, text: str, until: str) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted = (until.encode(), future)
        self.transport.write(text.encode())
        async with asyncio.timeout(60):
            await future

    async def log_in(self, port: int) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        await self.say(HEAD, "</stream:features>")
        secret = base64.b64encode(f"\0{self.name}\0{PASSWORD}".encode()).decode()
        await self.say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>", "<success")
        await self.say(HEAD, "</stream:features>")
        bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{self._resource}</resource></bind>"
        await self.say(f"<iq type='set' id='b'>{bind}</iq>", "</iq>")
        self.transport.write(b"<presence/>")

    def close(self) -> None:
        self.transport.abort()


def stanza(to: str, id: str) -> bytes:
    return f"<message to='{to}@{DOMAIN}' type='chat' id='{id}'><body>{BODY}</body></message>".encode()


async def log_in_all(clients: list[Client], port: int) -> None:
    gate = asyncio.Semaphore(20)

    async def one(client: Client) -> None:
        async with gate:
            await client.log_in(port)

    await asyncio.gather(*(one(client) for client in clients))


async def closed_loop(pairs: list[tuple[Client, Client]], window: int, seconds: float) -> int:
    """Each sends when one of its own has arrived, `window` under way; how many arrived."""
    done = 0
    end = time.monotonic() + seconds
    flowing = len(pairs) * window
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    numbers = iter(range(1 << 60))
    run = time.monotonic_ns()

    def send(one: Client, other: Client) -> None:
        one.transport.write(stanza(other.name, f"n{run}-{next(numbers):012d}"))

    for one, other in pairs:

        def heard(count: int, one: Client = one, other: Client = other) -> None:
            nonlocal done, flowing
            done += count
            for _ in range(count):
                if time.monotonic() < end:
                    send(one, other)
                else:
                    flowing -= 1
            if not flowing and not over.done():
                over.set_result(None)

        other.heard = heard
        for _ in range(window):
            send(one, other)
    async with asyncio.timeout(seconds + 60):
        await over
    for _, other in pairs:
        other.heard = lambda count: None
    return done


async def open_loop(pairs: list[tuple[Client, Client]], rate: float, seconds: float) -> list[float]:
    """At a steady rate; milliseconds from before it was written until it was read."""
    found: list[float] = []
    for _, other in pairs:
        other.latencies = found
    began, total = time.monotonic(), int(rate * seconds)
    for number in range(total):
        due = began + number / rate
        while (wait := due - time.monotonic()) > 0:  # noqa: ASYNC110  it is the time that is waited for
            await asyncio.sleep(wait if wait > 0.001 else 0)
        one, other = pairs[number % len(pairs)]
        one.transport.write(stanza(other.name, f"t{time.monotonic_ns()}-{number:08d}"))
    end = time.monotonic() + 30
    while len(found) < total and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    if len(found) < total:
        raise SystemExit(f"{total - len(found)} messages did not arrive")
    for _, other in pairs:
        other.latencies = None
    return sorted(found)


async def measure(name: str, running: Running, people: list[str], quick: bool) -> str:
    port, pid = running
    seconds = 2.0 if quick else 8.0

    def cpu() -> float:
        found = tree_cpu_seconds(pid)
        assert found is not None
        return found

    clients = [Client(one) for one in people]
    before = cpu()
    await log_in_all(clients, port)
    log_in = (cpu() - before) / len(clients) * 1e3
    each = await idle_kib(pid, port, people, 200 if quick else 1000)
    half = len(clients) // 2
    pairs = list(zip(clients[:half], clients[half:], strict=True))
    await closed_loop(pairs, 1, 1.0)  # warm
    busy, spent, own, began = machine_busy_seconds(), cpu(), time.process_time(), time.monotonic()
    count = await closed_loop(pairs, 4, seconds)
    took, spent, own = time.monotonic() - began, cpu() - spent, time.process_time() - own
    others = ((machine_busy_seconds() or 0) - (busy or 0) - spent - own) / took
    rate = count / took
    latencies = await open_loop(pairs, rate / 2, seconds)
    p50, p99 = (latencies[int(len(latencies) * part)] for part in (0.5, 0.99))
    for client in clients:
        client.close()
    return (
        f"| {name} | {rate:,.0f} | {spent / count * 10_000:.2f} | {p50:.1f} | {p99:.1f} | {each:.0f} | {log_in:.2f} "
        f"| {own / took:.2f} | {others:.2f} |"
    )


async def idle_kib(pid: int, port: int, people: list[str], count: int) -> float:
    """Of each of so many more that do nothing, when all have rested. Before the load, so that nothing of it is counted."""
    await asyncio.sleep(_REST_SECONDS)
    before = sum_kib(pid)
    more = [Client(people[number % len(people)], f"idle{number}") for number in range(count)]
    await log_in_all(more, port)
    await asyncio.sleep(_REST_SECONDS)
    each = (sum_kib(pid) - before) / count
    for client in more:
        client.close()
    await asyncio.sleep(2)
    return each


def sum_kib(root: int) -> float:
    """Of the process and all below it."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(root)], capture_output=True, text=True).stdout.split()
    return (resident_kib(root) or 0) + sum(sum_kib(int(pid)) for pid in found)


CASES: dict[str, Callable[[Path, list[str]], contextlib.AbstractContextManager[Running]]] = {
    "hongyan": hongyan,
    "ejabberd": lambda folder, people: ejabberd(folder, people, False),
    "ejabberd-archive": lambda folder, people: ejabberd(folder, people, True),
    "prosody": lambda folder, people: prosody(folder, people, False),
    "prosody-archive": lambda folder, people: prosody(folder, people, True),
}
NEEDS = {"ejabberd": "ejabberdctl", "prosody": "prosody"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="which servers (default: all)")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pairs", type=int, default=100)
    given = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {OWN_CORE})
    people = [f"bench{number:04d}" for number in range(2 * given.pairs)]
    say(about())
    print("| server | messages/s | CPU s/10k | p50 ms at half | p99 | KiB idle | CPU ms log-in | generator | others |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in given.cases or CASES:
        program = NEEDS.get(name.partition("-")[0])
        if program is not None and shutil.which(program) is None:
            print(f"| {name} | is not installed |")
            continue
        folder = Path(tempfile.mkdtemp(prefix="hongyan-xmpp-"))
        try:
            with CASES[name](folder, people) as running:
                print(uvloop.run(measure(name, running, people, given.quick)), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
