"""Two nodes, and each of the balancers in front of them."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hongyan.cli.opening import accounts
from hongyan.config import Settings
from hongyan.config import settings as tree
from tests.counterparts.balancer import Balancer
from tests.counterparts.nats import Nats
from tests.counterparts.ports import held_port
from tests.counterparts.postgresql import PostgreSQL
from tests.deploy.fronts import Front, haproxy, haproxy_tcp, nginx
from tests.operation.certificates import make
from tests.serving import PASSWORD, Server

PEOPLE = ("ann", "bob", "eve")
_MADE = {"nginx": nginx, "haproxy": haproxy, "haproxy-tcp": haproxy_tcp}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make(tmp_path_factory.mktemp("tls"))


class Pair:
    """Two nodes of one database. Each that does not run is started when they are asked for."""

    def __init__(self, store: str, bus: str, folder: Path, tls: tuple[Path, Path] | None) -> None:
        shared = {
            "STORE": store,
            "BUS": bus,
            "HTTP_TRUSTED_PROXIES": "127.0.0.1",
            "IDENTITY_FAILURES_PER_ADDRESS": "5",
        }
        self.store = store
        self.nodes = [Server(folder / name, start=False, tls=tls, **shared) for name in ("one", "two")]
        self._begun = False

    def up(self) -> list[Server]:
        one, two = self.nodes
        if not self._begun:
            one.launch()
            one.until_ready()  # it has made the tables
            two.launch()
            _people(self.store)
            two.until_ready()
            self._begun = True
        for node in self.nodes:
            if not node.runs:
                node.start()
        return self.nodes


def _people(store: str) -> None:
    settings = Settings(store=store, identity=tree.Identity(iterations=4096), log=tree.Log(readers=1))

    async def add() -> None:
        async with accounts(settings, may_make=True) as opened:
            for name in PEOPLE:
                await opened.identity.add(name, PASSWORD)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, add()).result()


@pytest.fixture(scope="module")
def pairs(
    postgresql_server: PostgreSQL, nats_server: Nats, tls: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[bool, Pair]]:
    """By whether the nodes have the certificate themselves."""
    made = {
        with_tls: Pair(
            postgresql_server.new_database(), nats_server.url, tmp_path_factory.mktemp("nodes"), tls if with_tls else None
        )
        for with_tls in (False, True)
    }
    try:
        yield made
    finally:
        for pair in made.values():
            for node in pair.nodes:
                node.__exit__(None, None, None)
            postgresql_server.drop_database(pair.store)


@pytest.fixture(scope="module", params=list(_MADE))
def front(
    request: pytest.FixtureRequest, pairs: dict[bool, Pair], tls: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    kind: str = request.param
    nodes = pairs[kind == "haproxy-tcp"].up()
    balancer = _MADE[kind](nodes, tls, tmp_path_factory.mktemp(kind))
    with balancer, Front(balancer, nodes, tls, kind) as front:
        yield front


@pytest.fixture(params=["nginx", "haproxy"])
def lonely(request: pytest.FixtureRequest, tls: tuple[Path, Path], tmp_path: Path) -> Iterator[Front]:
    """A balancer without any node."""
    held = [held_port() for _ in (1, 2)]
    nodes = [Server(tmp_path / str(number), start=False) for number in (1, 2)]
    for node, port in zip(nodes, held, strict=True):
        node.port = port.getsockname()[1]
    balancer: Balancer = _MADE[request.param](nodes, tls, tmp_path / "balancer")
    with balancer, Front(balancer, nodes, tls, request.param) as front:
        yield front
    for port in held:
        port.close()
