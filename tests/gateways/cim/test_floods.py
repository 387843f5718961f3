"""Ten thousand strangers, and as many connections as there may be."""

import resource
import select
import socket
import time
from pathlib import Path

import pytest

from tests.gateways.cim import client
from tests.gateways.cim.site import Site
from tests.serving import wait_for

STRANGERS = 10_000


@pytest.fixture
def files() -> int:
    """Raised to what the system grants; how many connections that is enough for."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(STRANGERS, most - 1_000)


def connect(port: int, count: int) -> list[socket.socket]:
    """Many connections at once, each with the beginning of a frame."""
    made: list[socket.socket] = []
    for at in range(0, count, 500):
        some = []
        for _ in range(min(500, count - at)):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            some.append(one)
        waiting, deadline = set(some), time.monotonic() + 20
        poll = select.poll()
        by_number = {one.fileno(): one for one in some}
        for one in some:
            poll.register(one, select.POLLOUT)
        while waiting:
            assert time.monotonic() < deadline
            for number, _ in poll.poll(1000):
                poll.unregister(number)
                by_number[number].send(b"\x80\x01")
                waiting.discard(by_number[number])
        made += some
    return made


@pytest.mark.slow
def test_ten_thousand_strangers_cost_little_and_keep_nobody_out(tmp_path: Path, files: int) -> None:
    settings = {"CIM_LOGIN_SECONDS": "60", "CIM_CONNECTIONS": str(files + 1)}
    with Site(tmp_path / "data", **settings) as site:
        ann = site.people(1)[0]
        before = site.server.metric("process_resident_memory_bytes")
        strangers = connect(site.port, files)
        try:
            wait_for(lambda: site.server.metric("hongyan_cim_connections", state="stranger") == files, 20, "all of them")
            each = (site.server.metric("process_resident_memory_bytes") - before) / files
            print(f"{each / 1024:.1f} KiB for each of {files} strangers")
            assert each < 8 * 1024
            bob = site.person().login()  # the oldest stranger makes room
            ann.group("still here")
            bob.wire.text("still here")
            wait_for(lambda: site.server.metric("hongyan_cim_closed_total", reason="full") >= 1)
            assert site.server.metric("hongyan_cim_connections", state="stranger") == files - 1
        finally:
            for one in strangers:
                one.close()
        wait_for(lambda: site.server.metric("hongyan_cim_connections", state="stranger") == 0, 20, "their end")


def test_who_is_in_makes_no_room(tmp_path: Path) -> None:
    with Site(tmp_path / "data", CIM_CONNECTIONS="2", CIM_LOGIN_SECONDS="0.5") as site:
        people = site.people(2)
        with site.wire() as wire:
            wire.wait_closed()
        for one in people:
            one.wire.ping()
        people[0].quit()
        wait_for(lambda: site.server.metric("hongyan_cim_connections", state="in") == 1)
        with site.wire() as late, site.wire() as wire:
            late.wait_closed()
            wire.send_bytes(client.varint(5))
            wire.wait_closed(3)
