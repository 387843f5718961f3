"""What a benchmark needs before it begins: log-ins, conversations. Plain REST calls by a few threads, none of them measured."""

import http.client
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from hongyan.bench.crew import BenchError

_THREADS = 4
_TRIES = 8

T = TypeVar("T")
R = TypeVar("R")


class Account(msgspec.Struct, frozen=True):
    """Somebody the benchmark may be."""

    name: str
    token: str


class Rest:
    """JSON over HTTP/1.1 on a few kept connections, from any thread. Waits as told by Retry-After on 429 and 503."""

    def __init__(self, url: str) -> None:
        """`url` may be several with commas, the nodes of one cluster: the calls here go to the first."""
        found = [urlsplit(one.strip()) for one in url.split(",")]
        for parts in found:
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise BenchError(f"{url} is no address of a server; give http://HOST:PORT")
        self.tls = found[0].scheme == "https"
        self.nodes = tuple((str(parts.hostname), parts.port or (443 if self.tls else 80)) for parts in found)
        self.host, self.port = self.nodes[0]
        self.prefix = found[0].path.rstrip("/")
        self._idle: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        while self._idle:
            self._idle.pop().close()

    def call(self, method: str, path: str, token: str | None = None, body: object = None) -> tuple[int, Any]:
        """Status and decoded answer. Raises BenchError when the server cannot be reached or keeps asking to wait."""
        status = 0
        for attempt in range(_TRIES):
            try:
                status, wait, answer = self._once(method, path, token, body)
                if status not in (429, 503):
                    return status, answer
                time.sleep(min(wait, 20.0))
            except (OSError, http.client.HTTPException) as error:
                if attempt >= 2:
                    raise BenchError(f"No answer from {self.host}:{self.port}: {error}") from error
        raise BenchError(f"{method} {path}: the server kept answering {status}; raise its limits for a benchmark")

    def _once(self, method: str, path: str, token: str | None, body: object) -> tuple[int, float, Any]:
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        connection = self._idle.pop() if self._idle else kind(self.host, self.port, timeout=30)
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, self.prefix + path, None if body is None else msgspec.json.encode(body), headers)
            response = connection.getresponse()
            data = response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        wait = response.headers.get("Retry-After") or "1"
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, float(wait), msgspec.json.decode(data) if data and is_json else None

    def must(self, method: str, path: str, token: str | None = None, body: object = None) -> Any:
        """Like call, but everything except 2xx raises BenchError with the server's own words."""
        status, answer = self.call(method, path, token, body)
        if not 200 <= status < 300:
            detail = answer.get("detail", "") if isinstance(answer, dict) else ""
            raise BenchError(f"{method} {path} gave {status}: {detail}")
        return answer


def _each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, items))


def _lines(path: Path) -> list[tuple[str, str]]:
    """`name secret` on each line; empty lines and lines that begin with # are skipped."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, secret = line.strip().partition(" ")
        if not secret:
            raise BenchError(f"{path}, line {number}: expected a name and a password or token with a space between")
        found.append((name, secret.strip()))
    return found


def accounts(rest: Rest, users: Path | None, tokens: Path | None, wanted: int) -> list[Account]:
    """Up to `wanted` accounts. Tokens in the file `tokens` are used first; the others log in with their passwords from `users`,
    and their tokens are added to that file, so that the next run need not log in again (it costs the server some 40 ms each).
    """
    kept = dict(_lines(tokens)) if tokens is not None and tokens.exists() else {}
    if kept:
        token = next(iter(kept.values()))
        if rest.call("GET", "/v1/me", token)[0] == 401:
            kept = {}
    known = _lines(users) if users is not None else []
    missing = [(name, password) for name, password in known[:wanted] if name not in kept]

    def log_in(pair: tuple[str, str]) -> Account:
        answer = rest.must("POST", "/v1/login", None, {"username": pair[0], "password": pair[1], "device": "bench"})
        return Account(pair[0], answer["token"])

    for account in _each(log_in, missing):
        kept[account.name] = account.token
    if tokens is not None and missing:
        tokens.touch(mode=0o600)
        tokens.write_text("".join(f"{name} {token}\n" for name, token in kept.items()))
    names = [name for name, _ in known] or list(kept)
    found = [Account(name, kept[name]) for name in names[:wanted] if name in kept]
    if not found:
        raise BenchError("No users: give --users FILE (lines of name and password) or --tokens FILE (lines of name and token)")
    return found


def pairs(rest: Rest, people: Sequence[Account]) -> list[str]:
    """The direct conversations of each two neighbours: of 0 and 1, 2 and 3, ..."""

    def one(at: int) -> str:
        answer = rest.must("POST", "/v1/conversations", people[at].token, {"kind": "direct", "members": [people[at + 1].name]})
        return str(answer["id"])

    return _each(one, range(0, len(people) - 1, 2))


def groups(rest: Rest, people: Sequence[Account], size: int) -> list[str]:
    """A group for each `size` neighbours, owned by the first. One that an earlier run made for the same people is used again."""

    def one(at: int) -> str:
        owner, *others = people[at : at + size]
        title = f"hongyan bench {at // size} of {size}"
        listed = rest.must("GET", "/v1/conversations", owner.token)["conversations"]
        for conversation in listed:
            if conversation["title"] == title and conversation["member_count"] == size:
                return str(conversation["id"])
        body = {"kind": "group", "title": title, "members": [other.name for other in others]}
        return str(rest.must("POST", "/v1/conversations", owner.token, body)["id"])

    return _each(one, range(0, len(people) - size + 1, size))


def cursor(rest: Rest, account: Account) -> str:
    """Where the account's events are now."""
    return str(rest.must("GET", "/v1/events?limit=1", account.token)["cursor"])


def run_number() -> int:
    """32 random bits that tell this run's messages from all others."""
    return secrets.randbits(32)
