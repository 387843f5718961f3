"""Several nodes of one cluster, with the verbs of one server: clients are dealt out in turn.

with Cluster(tmp_path, shared, 2) as cluster:
    ann, bob = cluster.people("ann", "bob")         # one's requests go to the first node, the other's to the second
    with ann.stream() as stream: ...                # to the next in turn
    cluster.nodes[0].kill()
"""

import contextlib
import itertools
import signal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.serving import PASSWORD, PLAIN, SECONDS, Person, Server, Shared, wait_for


class Cluster:
    """`settings` and `arguments` are those of every node."""

    verify = PLAIN

    def __init__(self, directory: Path, shared: Shared, count: int, *arguments: str, start: bool = True, **settings: str) -> None:
        self.shared = shared
        self.nodes = [
            Server(directory / f"node{number}", *arguments, "--node", f"node{number}", shared=shared, start=False, **settings)
            for number in range(1, count + 1)
        ]
        self._start = start
        self._turns = itertools.cycle(self.nodes)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as entered:
            for node in self.nodes:
                entered.enter_context(node)
            if self._start:
                self.start()
            entered.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for node in self.nodes:
            node.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Of the next node in turn."""
        return next(self._turns).url

    @property
    def port(self) -> int:
        return next(self._turns).port

    @property
    def runs(self) -> bool:
        return any(node.runs for node in self.nodes)

    def output(self) -> str:
        return "".join(node.output() for node in self.nodes)

    def start(self) -> None:
        """Returns when each knows all."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.until_ready()
        wait_for(lambda: all(node.metric("hongyan_nodes") == len(self.nodes) for node in self.nodes), what="the nodes")

    def stop(self) -> int:
        """SIGTERM to all: the largest exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = SECONDS) -> int:
        return max(node.wait(seconds) for node in self.nodes)

    def signal(self, number: signal.Signals) -> None:
        for node in self.nodes:
            node.signal(number)

    def health(self) -> tuple[int, dict[str, Any]]:
        """Of the one that is worst off."""
        return max((node.health() for node in self.nodes), key=lambda answer: (answer[0], answer[1]["status"] != "ok"))

    def metric(self, name: str, **labels: str) -> float:
        """The sum."""
        return sum(node.metric(name, **labels) for node in self.nodes)

    def command(self, *words: str, input: str = "") -> Any:
        return self.nodes[0].command(*words, input=input)

    def add(self, *names: str, password: str = PASSWORD, admin: bool = False) -> None:
        self.nodes[0].add(*names, password=password, admin=admin)

    def login(self, name: str, password: str = PASSWORD, device: str = "test") -> Person:
        person = next(self._turns).login(name, password, device)
        person.server = self  # type: ignore[assignment]
        return person

    def people(self, *names: str) -> list[Person]:
        self.add(*names)
        return [self.login(name) for name in names]


def at(person: Person, node: Server) -> Person:
    """The same person with the same token, whose requests and streams go to this node."""
    there = Person(node, node.client())
    there.became(person.session)
    return there


def nodes_seen(admin: Person) -> dict[str, dict[str, Any]]:
    """What `/v1/nodes` says, by name."""
    return {node["name"]: node for node in admin.call("GET", "/v1/nodes")["nodes"]}
