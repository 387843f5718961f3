"""Three nodes, a database and a bus, with a line between each that can be broken: what the faults are done to."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.counterparts.link import Link
from tests.counterparts.nats import Nats
from tests.counterparts.postgresql import PostgreSQL
from tests.faults.nemesis import Deed
from tests.faults.plagues import Ways, plagues
from tests.faults.watch import Watch
from tests.serving import Server, Shared


class Ground(msgspec.Struct, frozen=True):
    nodes: tuple[Server, ...]
    deeds: tuple[Deed, ...]


@contextlib.contextmanager
def ground(path: Path, count: int = 3) -> Iterator[Ground]:
    """Everything runs and answers. The database is one that flushes: it is killed, too."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(PostgreSQL(path / "postgresql"))
        bus = stack.enter_context(Nats(path / "nats"))
        url = database.new_database()
        watch = Watch(path / "watch")
        nodes: dict[str, Server] = {}
        ways: dict[str, Ways] = {}
        for number in range(1, count + 1):
            name = f"node{number}"
            to_database, to_bus = (stack.enter_context(Link(one.port)) for one in (database, bus))
            shared = Shared(url.replace(f":{database.port}/", f":{to_database.port}/"), f"nats://127.0.0.1:{to_bus.port}")
            node = Server(path / name, "--node", name, shared=shared, environment=watch.environment)
            nodes[name] = stack.enter_context(node)
            ways[name] = Ways(to_database, to_bus)
        yield Ground(tuple(nodes.values()), tuple(plagues(nodes, ways, database, bus, watch)))
