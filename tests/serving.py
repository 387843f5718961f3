"""A whole server for a test: the real command in a process of its own, on a free loopback port, gone at the end.

    @pytest.fixture
    def server(tmp_path):
        with Server(tmp_path / "data") as server:
            yield server

    def test_something(server):
        alice, bob = server.people("alice", "bob")     # accounts, logged in
        lane = alice.direct("bob")
        alice.send(lane, "在吗")
        with bob.stream() as stream: ...               # a WebSocket; REST verbs are on the person
        server.kill(); server.start()                  # kill -9 and back on the same port

Every verb waits for its answer, at most 10 s, and a refusal of the server is raised as `Refused`. For asyncio there is
`hongyan.client.Client(server.url)`. What the server wrote is `server.output()`.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
from websockets.sync.client import ClientConnection, connect

from hongyan.cli.opening import accounts
from hongyan.config import Settings
from hongyan.config import settings as tree
from hongyan.core.ids import id_from_bits
from tests import forks
from tests.store.tables import copy_of_empty

PASSWORD = "wild goose 8440"
SECONDS = 10.0
"""How long anything may take before the test fails."""
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of servers without TLS. It trusts nobody: to read the certificates of this machine takes 30 ms for each client."""
_ITERATIONS = 4096
"""PBKDF2 rounds of the test's accounts: fast, and nobody's secret."""


class Refused(Exception):
    """A problem document of the server."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.code = str(problem.get("type", "")).removeprefix("urn:hongyan:error:")
        self.problem = problem


def wait_for(condition: Callable[[], Any], seconds: float = SECONDS, what: str = "what the test waits for") -> Any:
    """The first true value that `condition` gives. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} s"
        time.sleep(0.01)


class Shared(msgspec.Struct, frozen=True):
    """What the nodes of a cluster share."""

    store: str
    bus: str


class Server:
    """`arguments` follow `serve`; `settings` are written as in the environment without the prefix: `LIMITS_SENDS_BURST="5"`.

    `tls` are a certificate for 127.0.0.1 and its key, see `tests.operation.certificates`. With `shared` it is a node.
    `environment` goes to the process as it is, which is then a new one and not a fork. Without `tables` nothing is where its
    data are to be, as for somebody's first start.
    """

    def __init__(
        self,
        data: Path,
        *arguments: str,
        start: bool = True,
        tls: tuple[Path, Path] | None = None,
        shared: Shared | None = None,
        environment: Mapping[str, str] | None = None,
        tables: bool = True,
        **settings: str,
    ) -> None:
        self.data = data
        self.shared = shared
        self.port = 0
        self.verify = PLAIN if tls is None else ssl.create_default_context(cafile=tls[0])
        """What a client trusts."""
        self._arguments = arguments if tls is None else (*arguments, "--certificate", str(tls[0]), "--key", str(tls[1]))
        self._settings = {f"HONGYAN_{name}": value for name, value in settings.items()} | dict(environment or {})
        if shared is not None:
            self._settings |= {"HONGYAN_STORE": shared.store, "HONGYAN_BUS": shared.bus}
        self._tables = tables and "HONGYAN_STORE" not in self._settings and not {"--store", "--demo"} & set(arguments)
        self._start = start
        self._apart = environment is not None
        self._log = data.with_name(f"{data.name}.log")
        self._process: subprocess.Popen[bytes] | forks.Fork | None = None
        self._http: list[httpx.Client] = []

    def __enter__(self) -> Self:
        if self._start:
            self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for client in self._http:
            client.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if error is not None and self._log.exists():
            print(f"--- the server wrote:\n{self.output()}")

    def more(self, *arguments: str, **settings: str) -> None:
        """As for `__init__`, from its next start on."""
        self._arguments = (*self._arguments, *arguments)
        self._settings |= {f"HONGYAN_{name}": value for name, value in settings.items()}

    @property
    def url(self) -> str:
        return f"{'http' if self.verify is PLAIN else 'https'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def output(self) -> str:
        """Everything that the server has written, of all its starts."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def start(self) -> None:
        """Returns when `/health` answers 200. The first time on a free port, then always on the same."""
        self.launch()
        self.until_ready()

    def until_ready(self) -> None:
        """Wait for what was launched."""
        address = self.data / "http.address"

        def ready() -> bool:
            assert self.runs, f"the server has ended:\n{self.output()}"
            try:
                told = address.read_text()
            except FileNotFoundError:  # not yet, or what a killed server left was just removed
                return False
            self.port = int(told.strip().rpartition(":")[2])
            with contextlib.suppress(httpx.TransportError):
                return self.health()[0] == 200
            return False

        wait_for(ready, 60.0, "the server's health")

    def launch(self) -> None:
        """Start the process and do not wait for it."""
        assert not self.runs
        self._make_tables()
        words = ["serve", "--data", str(self.data), "--http", f"127.0.0.1:{self.port}", *self._arguments]
        if not self._apart:
            self._process = forks.start(words, self._environment(), self._log)
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*HONGYAN, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                preexec_fn=forks.die_with_the_parent,
            )

    def wait(self, seconds: float = SECONDS) -> int:
        """The exit code of a process that ends by itself."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self, seconds: float = SECONDS) -> int:
        """SIGTERM, and wait: the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """kill -9: nothing is flushed, nobody is told."""
        self.signal(signal.SIGKILL)
        self.wait()

    def freeze(self) -> None:
        """It does nothing, not even refuse; connections to it are made by the kernel."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def restart(self) -> None:
        self.stop()
        self.start()

    def health(self) -> tuple[int, dict[str, Any]]:
        answer = httpx.get(f"{self.url}/health", timeout=SECONDS, verify=self.verify)
        return answer.status_code, answer.json()

    def metric(self, name: str, **labels: str) -> float:
        """One number of `/metrics`."""
        wanted = name + ("{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}" if labels else "")
        for line in httpx.get(f"{self.url}/metrics", timeout=SECONDS, verify=self.verify).text.splitlines():
            shown, _, value = line.rpartition(" ")
            if shown == wanted:
                return float(value)
        raise KeyError(wanted)

    def command(self, *words: str, input: str = "") -> subprocess.CompletedProcess[str]:
        """`hongyan --data DIR ...` beside the server."""
        return forks.run(["--data", str(self.data), *words], self._environment(), input)

    def add(self, *names: str, password: str = PASSWORD, admin: bool = False) -> None:
        """Accounts, written into the data directory by this process, beside a running server or before."""
        store = self.shared.store if self.shared is not None else "sqlite:"
        settings = Settings(data=self.data, store=store, identity=tree.Identity(iterations=_ITERATIONS), log=tree.Log(readers=1))

        async def make() -> None:
            async with accounts(settings, may_make=True) as opened:
                for name in names:
                    await opened.identity.add(name, password, admin=admin)

        self._make_tables()
        mask = os.umask(0o077)
        try:
            with ThreadPoolExecutor(1) as pool:  # the test may have a running loop
                pool.submit(asyncio.run, make()).result()
        finally:
            os.umask(mask)

    def login(self, name: str, password: str = PASSWORD, device: str = "test") -> "Person":
        person = Person(self, self.client())
        answer = person.call("POST", "/v1/login", {"username": name, "password": password, "device": device})
        person.became(answer)
        return person

    def people(self, *names: str) -> "list[Person]":
        """New accounts, logged in."""
        self.add(*names)
        return [self.login(name) for name in names]

    def client(self) -> httpx.Client:
        """One more way to it, closed at the end."""
        client = httpx.Client(base_url=self.url, timeout=SECONDS, verify=self.verify)
        self._http.append(client)
        return client

    def _make_tables(self) -> None:
        if self._tables and not self.data.exists():
            self.data.mkdir(mode=0o700, parents=True)
            copy_of_empty(self.data / "hongyan.db")

    def _environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HONGYAN_")}
        return clean | {"HONGYAN_IDENTITY_ITERATIONS": str(_ITERATIONS), "PYTHONUNBUFFERED": "1"} | self._settings


class Person:
    """Somebody with a token. The verbs of REST; `stream` opens a WebSocket."""

    def __init__(self, server: Server, http: httpx.Client) -> None:
        self.server = server
        self.http = http
        self.id = self.token = self.token_id = ""
        self.session: dict[str, Any] = {}

    def became(self, login: dict[str, Any]) -> None:
        self.session = login
        self.id, self.token, self.token_id = login["user_id"], login["token"], login["token_id"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The decoded answer; None when it has no body. Raises Refused."""
        params = {name: value for name, value in query.items() if value is not None}
        answer = self.http.request(method, path, json=body, params=params)
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.json())
        return answer.json() if answer.content else None

    def direct(self, other: str) -> str:
        """The id of the conversation of the two."""
        return str(self.call("POST", "/v1/conversations", {"kind": "direct", "members": [other]})["id"])

    def group(self, title: str, *others: str, **more: Any) -> str:
        """The id of a new group."""
        body = {"kind": "group", "title": title, "members": list(others), **more}
        return str(self.call("POST", "/v1/conversations", body)["id"])

    def send(self, conversation: str, text: str, client_id: str | None = None) -> dict[str, Any]:
        """`seq`, `position` and `time` of a message that is durable."""
        body = {"client_id": client_id or new_client_id(), "content": {"type": "text", "text": text}}
        answer: dict[str, Any] = self.call("POST", f"/v1/conversations/{conversation}/messages", body)
        return answer

    def poll(self, after: str | None = None, *, wait: float | None = None, limit: int | None = None) -> dict[str, Any]:
        """A short poll, or with `wait` a long one."""
        answer: dict[str, Any] = self.call("GET", "/v1/events", after=after, wait=wait, limit=limit)
        return answer

    def cursor(self) -> str:
        """Where this person's events are now."""
        return str(self.poll(limit=1)["cursor"])

    def events_after(self, cursor: str) -> list[dict[str, Any]]:
        """Everything since, by as many polls as it takes."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.poll(cursor, limit=1000)
            found += answer["events"]
            cursor = answer["cursor"]
            if not answer["more"]:
                return found

    def history(self, conversation: str, **query: Any) -> list[dict[str, Any]]:
        answer = self.call("GET", f"/v1/conversations/{conversation}/events", **query)
        return list(answer["events"])

    def texts(self, conversation: str) -> list[str]:
        """The texts of the newest messages, ascending."""
        return texts(self.history(conversation, limit=1000))

    def snapshot(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("GET", "/v1/snapshot")
        return answer

    def stream(self, after: str | None = None) -> "Stream":
        return Stream(self, after)


class Stream:
    """A WebSocket in JSON, open inside `with`. Frames that a verb skips on its way are kept in `events` and `signals`."""

    def __init__(self, person: Person, after: str | None = None) -> None:
        query = f"?after={after}" if after else ""
        self._opening = connect(
            f"{person.server.url.replace('http', 'ws', 1)}/v1/events/ws{query}",
            ssl=None if person.server.verify is PLAIN else person.server.verify,
            additional_headers={"Authorization": f"Bearer {person.token}"},
            subprotocols=["hongyan.json"],  # type: ignore[list-item]
            open_timeout=SECONDS,
            close_timeout=1,
            max_size=None,
        )
        self.events: list[dict[str, Any]] = []
        """Every event that has come, in order."""
        self.signals: list[dict[str, Any]] = []
        self.cursor = after
        self._refs = itertools.count(1)

    def __enter__(self) -> Self:
        self.connection: ClientConnection = self._opening.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._opening.__exit__(None, None, None)

    def say(self, op: str, **members: Any) -> int:
        """One frame with a new `ref`, which it gives."""
        ref = next(self._refs)
        self.connection.send(json.dumps({"op": op, "ref": ref, **members}, ensure_ascii=False))
        return ref

    def send(self, conversation: str, text: str, client_id: str | None = None) -> dict[str, Any]:
        """A message, and its acknowledgement. Raises Refused."""
        content = {"type": "text", "text": text}
        ref = self.say("send", conversation=conversation, client_id=client_id or new_client_id(), content=content)
        return self.answer(ref)

    def answer(self, ref: int) -> dict[str, Any]:
        """The `ack` or `pong` to a frame. Raises Refused."""
        frame = self.until(lambda frame: frame.get("ref") == ref)
        if frame["op"] == "error":
            raise Refused(0, frame)
        return frame

    def event(self, **members: Any) -> dict[str, Any]:
        """The first event with these members, of those that have come or are coming."""
        seen = 0
        while True:
            for event in self.events[seen:]:
                if all(event.get(name) == value for name, value in members.items()):
                    return event
            seen = len(self.events)
            self.until(lambda frame: frame["op"] == "events")

    def text(self, text: str) -> dict[str, Any]:
        """The first message with this text."""
        return self.event(type="message", content={"type": "text", "text": text})

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next frame that is wanted."""
        deadline = time.monotonic() + SECONDS
        while True:
            frame: dict[str, Any] = json.loads(self.connection.recv(timeout=max(0.0, deadline - time.monotonic())))
            if frame["op"] == "events":
                self.events += frame["events"]
                self.cursor = frame["cursor"]
            elif frame["op"] == "signal":
                self.signals.append(frame)
            if wanted(frame):
                return frame


def texts(events: Sequence[Mapping[str, Any]]) -> list[str]:
    return [event["content"].get("text", "") for event in events if event["type"] == "message"]


def new_client_id() -> str:
    return id_from_bits(os.urandom(15))


HONGYAN = (sys.executable, "-m", "hongyan.cli")
