"""`hongyan serve --workers 3`: three nodes behind one port, looked after by a process of their own."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.sockets import authorization
from tests.serving import HONGYAN, PLAIN, SECONDS, Person, Server, Shared, new_client_id, wait_for

NAMES = {"w-1", "w-2", "w-3"}
_STREAMS = 30
"""The kernel deals connections out by chance: that a worker of three gets none of so many happens once in 60,000 times."""


@pytest.fixture
def server(shared: Shared, tmp_path: Path) -> Iterator[Server]:
    """Three workers that all take clients."""
    with Server(tmp_path / "data", "--workers", "3", "--node", "w", shared=shared, start=False) as server:
        server.add("root", admin=True)
        try:
            server.start()
            wait_for(lambda: len(workers(server)) == 3)
            yield server
        finally:
            left = workers(server) if server.runs else []
        if server.runs:
            server.kill()
        _, alive = psutil.wait_procs(left, 3 * SECONDS)  # they stop as if told to: up to ten seconds on an idle machine
        assert not alive, "who looks after the workers is gone, and they are not"


def workers(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.pid).children()


def ready(root: Person) -> dict[str, str]:
    """The nodes that take clients: their ids, by name."""
    with fresh(root) as http:
        nodes = http.get("/v1/nodes").json()["nodes"]
    return {node["name"]: node["id"] for node in nodes if node["ready"]}


def fresh(person: Person) -> httpx.Client:
    """A connection of its own, so that any of the workers may have it."""
    return httpx.Client(base_url=person.server.url, headers=authorization(person), timeout=SECONDS, verify=PLAIN)


def send(person: Person, lane: str, text: str) -> None:
    """Again on another connection until it is stored, as clients do."""
    body = {"client_id": new_client_id(), "content": {"type": "text", "text": text}}

    def stored() -> bool:
        try:
            with fresh(person) as http:
                answer = http.post(f"/v1/conversations/{lane}/messages", json=body)
        except httpx.TransportError:
            return False
        assert answer.status_code in (201, 503), answer.text
        return answer.status_code == 201

    wait_for(stored, what="the send after its retries")


def test_all_answer_behind_one_port_and_who_dies_is_started_again(server: Server) -> None:
    root = server.login("root")
    before = wait_for(lambda: (found := ready(root)).keys() == NAMES and found)
    lane = root.group("项目组")
    with contextlib.ExitStack() as streams:
        for _ in range(_STREAMS):
            streams.enter_context(root.stream())
        wait_for(lambda: all(node["sessions"] for node in root.call("GET", "/v1/nodes")["nodes"]), what="a stream on each")
    victim = workers(server)[0]
    victim.kill()
    for number in range(20):
        send(root, lane, str(number))
    after = wait_for(lambda: (found := ready(root)).keys() == NAMES and found != before and found, 30)
    assert sum(after[name] == before[name] for name in NAMES) == 2
    assert len(workers(server)) == 3
    assert "is started again" in server.output()
    assert root.texts(lane) == [str(number) for number in range(20)]


def test_restart_of_one_after_the_other_fails_nobody(server: Server) -> None:
    root = server.login("root")
    before = wait_for(lambda: (found := ready(root)).keys() == NAMES and found)
    lane = root.group("项目组")
    server.signal(signal.SIGUSR1)
    sent = 0
    while True:
        send(root, lane, str(sent))
        sent += 1
        if sent % 10 == 0:
            now = ready(root)
            assert len(now) >= 2, "one at a time"
            if now.keys() == NAMES and not set(now.values()) & set(before.values()):
                break
    assert root.history(lane, limit=1)[-1]["seq"] == sent + 1
    assert server.runs


def test_signal_to_stop_stops_all(server: Server) -> None:
    root = server.login("root")
    with root.stream() as stream:
        all_workers = workers(server)
        server.signal(signal.SIGTERM)
        assert stream.until(lambda frame: frame["op"] == "close")["do"] in ("resume", "later")
    assert server.wait(15) == 0
    assert not psutil.wait_procs(all_workers, SECONDS)[1]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_workers_do_not_outlive_the_first_process(server: Server) -> None:
    all_workers = workers(server)
    server.kill()
    assert not psutil.wait_procs(all_workers, 15)[1]


def test_port_that_is_taken_is_said_in_a_sentence(shared: Shared, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Server(tmp_path / "data", "--workers", "2", shared=shared, start=False) as server:
            server.port = port
            server.launch()
            assert server.wait(30) == 1
            assert f"127.0.0.1:{port}" in server.output()
            assert "Traceback" not in server.output()
            assert "is started again" not in server.output()


def test_several_workers_without_a_shared_store_are_refused(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HONGYAN_")}
    words = [*HONGYAN, "--data", str(tmp_path), "serve", "--workers", "2"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=clean)
    assert done.returncode == 1
    assert "node.workers" in done.stderr
