"""A whole server with a CIM gateway, and people with clients of the tests' own."""

import itertools
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.counterparts.ports import held_port
from tests.gateways.cim.client import Api, Person, Wire
from tests.serving import Server, Shared, wait_for

_names = itertools.count(1)


class Site:
    """One node. `settings` as for `Server`."""

    def __init__(self, data: Path, *, shared: Shared | None = None, start: bool = True, node: str = "", **settings: str) -> None:
        self._held = ExitStack()
        ports = [self._held.enter_context(held_port()).getsockname()[1] for _ in range(2)]
        self.port, self.route_port = ports
        ways = ("--cim", f"127.0.0.1:{self.port}", "--cim-route", f"127.0.0.1:{self.route_port}")
        named = ("--node", node) if node else ()
        self.server = Server(data, *ways, *named, shared=shared, start=start, **settings)

    def __enter__(self) -> Self:
        self._held.enter_context(self.server)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.route_port}"

    def api(self, token: str | None = None, local: str = "127.0.0.1") -> Api:
        api = Api(self.url, token, local)
        self._held.callback(api.http.close)
        return api

    def wire(self, **how: Any) -> Wire:
        return self._held.enter_context(Wire(self.port, **how))

    def person(self, name: str = "", local: str = "127.0.0.1") -> Person:
        """An account made by a client, not logged in; without a name one that nobody has."""
        name = name or f"cim{next(_names)}"
        return self.known(name, self.number(name), local)

    def number(self, name: str) -> int:
        """Of an account, which is made if need be."""
        return int(self.api().call("/registerAccount", userName=name)["userId"])

    def known(self, name: str, number: int, local: str = "127.0.0.1") -> Person:
        """The client of an account; the name may have a token behind it."""
        person = Person(self.api(local=local), name, number, local)
        self._held.callback(person.quit)
        return person

    def people(self, count: int) -> list[Person]:
        """Several, logged in."""
        return [self.person().login() for _ in range(count)]

    def record(self, person: Person) -> tuple[str | None, int | None]:
        """Session and position, as they are stored."""
        with closing(sqlite3.connect(f"file:{self.server.data}/hongyan.db?mode=ro", uri=True)) as db:
            found: tuple[str | None, int | None] = db.execute(
                "SELECT session, position FROM cim_accounts WHERE number = ?", (person.number,)
            ).fetchone()
            return found

    def quit(self, person: Person) -> None:
        """Their connection ends, and the server has noticed."""
        person.quit()
        wait_for(lambda: self.record(person)[0] is None, what="the end of the log-in")

    def stored(self, person: Person, position: int) -> None:
        """Wait until it is stored that they were given everything up to there."""
        wait_for(lambda: (self.record(person)[1] or 0) >= position, what="the position")

    def missed(self, person: Person) -> int:
        """Parts that were not fetched, as stored."""
        with closing(sqlite3.connect(f"file:{self.server.data}/hongyan.db?mode=ro", uri=True)) as db:
            query = "SELECT count(*) FROM cim_missed m JOIN cim_accounts a ON a.user = m.user WHERE a.number = ?"
            return int(db.execute(query, (person.number,)).fetchone()[0])
