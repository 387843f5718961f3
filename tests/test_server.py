"""The whole server as a process: starting, being ready, stopping, and not starting."""

import asyncio
import json
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hongyan.client import Client
from hongyan.config import Http, Settings
from hongyan.server import reached_at
from tests.operation.certificates import make
from tests.serving import PASSWORD, Refused, Server, wait_for


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", tables=False) as server:
        yield server


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Server]:
    """Not started yet."""
    with Server(tmp_path / "data", start=False, tables=False) as server:
        yield server


def test_it_says_where_it_is_and_how_to_make_the_first_person(server: Server) -> None:
    assert f"is ready on {server.url}" in server.output()
    assert f"hongyan --data {server.data} user add NAME --admin" in server.output()
    assert (server.data / "http.address").read_text() == f"127.0.0.1:{server.port}\n"
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.data.iterdir()}
    assert modes.pop("files", 0o700) == 0o700
    assert set(modes.values()) == {0o600}


def test_the_first_person_is_not_asked_for_when_there_is_one(later: Server) -> None:
    later.add("lihua")
    later.start()
    assert "user add" not in later.output()


def test_health_tells_version_and_position(server: Server) -> None:
    status, before = server.health()
    assert (status, before["status"], before["reasons"]) == (200, "ok", [])
    assert before["version"]
    alice, _ = server.people("alice", "bob")
    sent = alice.send(alice.direct("bob"), "在吗")
    assert server.health()[1]["position"] >= sent["position"]


def test_signal_for_workers_does_not_end_a_single_process(server: Server) -> None:
    server.signal(signal.SIGUSR1)
    wait_for(lambda: "nothing to restart" in server.output())
    assert server.health()[0] == 200


def test_metrics_count_what_happens(server: Server) -> None:
    alice, bob = server.people("alice", "bob")
    lane = alice.direct("bob")
    before = server.metric("hongyan_events_appended_total")
    with bob.stream() as stream:
        assert server.metric("hongyan_connections", transport="websocket") == 1
        alice.send(lane, "一")
        stream.text("一")
    assert server.metric("hongyan_events_appended_total") >= before + 1
    wait_for(lambda: server.metric("hongyan_connections", transport="websocket") == 0)


def test_people_made_by_the_command_beside_it_can_log_in_at_once(server: Server) -> None:
    done = server.command("user", "add", "lihua", "--name", "李华", "--password-stdin", input=PASSWORD)
    assert done.returncode == 0, done.stderr
    lihua = server.login("lihua")
    assert lihua.call("GET", "/v1/me")["name"] == "李华"
    assert [one["id"] for one in lihua.snapshot()["conversations"]] == ["lobby"]


def test_an_account_that_the_command_disables_is_out_at_once(server: Server) -> None:
    (alice,) = server.people("alice")
    with alice.stream() as stream:
        assert server.command("user", "disable", "alice").returncode == 0
        closed = stream.until(lambda frame: frame["op"] == "close")
    assert closed["do"] == "login"
    with pytest.raises(Refused) as caught:
        alice.snapshot()
    assert caught.value.code == "not-authenticated"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_tells_clients_when_to_come_back(server: Server, number: signal.Signals) -> None:
    (alice,) = server.people("alice")
    with alice.stream() as stream:
        server.signal(number)
        closed = stream.until(lambda frame: frame["op"] == "close")
    assert closed["do"] == "later"
    assert closed["after"] > 0
    assert server.wait() == 0
    assert not (server.data / "http.address").exists()
    assert "Traceback" not in server.output()


def test_it_stops_in_time_even_with_somebody_who_never_reads(server: Server) -> None:
    (alice,) = server.people("alice")
    with socket.create_connection(("127.0.0.1", server.port)) as half:
        half.sendall(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        wait_for(lambda: alice.snapshot())
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10


def test_a_second_signal_does_not_wait(server: Server) -> None:
    (alice,) = server.people("alice")
    with socket.create_connection(("127.0.0.1", server.port)) as half:
        half.sendall(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        wait_for(lambda: alice.snapshot())
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        wait_for(lambda: '"stopping"' in server.output())
        server.signal(signal.SIGTERM)
        assert server.wait() == 1
        assert time.monotonic() - began < 5
    assert "told a second time" in server.output()
    server.start()


def test_what_was_acknowledged_is_there_after_kill_9_and_a_cursor_goes_on(server: Server) -> None:
    alice, bob = server.people("alice", "bob")
    lane = alice.direct("bob")
    cursor = bob.cursor()
    for number in range(50):
        alice.send(lane, str(number))
    server.kill()
    port = server.port
    server.start()
    assert server.port == port
    assert [event["content"]["text"] for event in bob.events_after(cursor)] == [str(number) for number in range(50)]
    assert alice.texts(lane) == [str(number) for number in range(50)]


def test_a_second_server_on_the_same_directory_is_refused(server: Server) -> None:
    done = server.command("serve", "--http", "127.0.0.1:0")
    assert done.returncode == 1
    assert f"in use by process {server.pid}" in done.stderr
    assert "Traceback" not in done.stderr
    assert server.health()[0] == 200
    assert (server.data / "http.address").exists()


def test_a_port_that_is_taken_is_told(later: Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = later.command("serve", "--http", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
    later.start()


def test_a_data_directory_that_cannot_be_made_is_told(later: Server) -> None:
    later.data.write_text("a file")
    done = later.command("serve", "--http", "127.0.0.1:0")
    assert done.returncode == 1
    assert "cannot be made" in done.stderr


def test_the_log_is_json_in_a_file_and_has_no_secret(server: Server) -> None:
    alice = server.people("alice")[0]
    with pytest.raises(Refused):
        server.login("alice", "not the password of alice")
    server.stop()
    records = [json.loads(line) for line in server.output().splitlines() if line.startswith("{")]
    assert {"ready", "stopped"} <= {record["event"].split()[0] for record in records}
    assert all(record["level"] and record["timestamp"] for record in records)
    assert alice.token not in server.output()
    assert "not the password" not in server.output()


def test_the_demonstration_prints_its_passwords_once(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--demo") as server:
        wait_for(lambda: server.url in server.output())
        told = server.output()
        words = (server.data / "demo.txt").read_text(encoding="utf-8").split()
        one_time, shared = words[words.index("password") + 1], words[-1]
        assert one_time in told
        admin = server.login("admin", one_time)
        assert admin.session["change_password"] is True
        assert admin.call("GET", "/v1/me")["admin"] is True
        assert len(server.login("lihua", shared).snapshot()["conversations"]) >= 3
        server.restart()
        again = server.output()[len(told) :]
        assert str(server.data / "demo.txt") in again
        assert one_time not in again
        assert shared not in again
        assert len(admin.snapshot()["conversations"]) >= 3


def test_the_demonstration_changes_nothing_where_people_are(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--demo", start=False) as server:
        server.add("lihua")
        server.start()
        assert "--demo changed nothing" in server.output()
        assert json.loads(server.command("user", "list", "--json").stdout)[0]["id"] == "lihua"
        assert not (server.data / "demo.txt").exists()


def test_with_a_certificate_everything_is_over_tls(tmp_path: Path) -> None:
    with Server(tmp_path / "data", tls=make(tmp_path)) as server:
        assert f"ready on https://127.0.0.1:{server.port}" in server.output()
        alice, bob = server.people("alice", "bob")
        lane = alice.direct("bob")
        with bob.stream() as stream:
            alice.send(lane, "密")
            stream.text("密")
        assert server.stop() == 0


def test_a_certificate_that_cannot_be_used_is_told(later: Server, tmp_path: Path) -> None:
    certificate, _ = make(tmp_path, "one")
    _, key = make(tmp_path, "two")
    done = later.command("serve", "--http", "127.0.0.1:0", "--certificate", str(certificate), "--key", str(key))
    assert done.returncode == 1
    assert str(key) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_certificate_that_ends_soon_is_in_the_health(tmp_path: Path) -> None:
    with Server(tmp_path / "data", tls=make(tmp_path, days=5)) as server:
        status, report = server.health()
        assert (status, report["status"]) == (200, "degraded")
        assert "expires in 5 days" in report["reasons"][0]


def test_settings_reach_the_server(tmp_path: Path) -> None:
    with Server(tmp_path / "data", LIMITS_TITLE_LENGTH="5") as server:
        (alice,) = server.people("alice")
        with pytest.raises(Refused) as caught:
            alice.group("more than five")
        assert caught.value.status in (400, 413)


async def test_the_sdk_reaches_it(server: Server) -> None:
    server.add("alice", "bob")
    async with Client(server.url) as alice, Client(server.url) as bob:
        await alice.login("alice", PASSWORD, "sdk")
        await bob.login("bob", PASSWORD, "sdk")
        await alice.start()
        await bob.start()
        seen: list[str] = []
        bob.on("message", lambda event: seen.append(event.text))
        await alice.send((await alice.create_direct("bob")).id, "周五见")
        async with asyncio.timeout(10):
            while seen != ["周五见"]:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("http", "address"),
    [
        (Http(url="https://chat.example.org", listen="127.0.0.1:0"), "https://chat.example.org"),
        (Http(listen="127.0.0.1:0"), "http://127.0.0.1:81"),
        (Http(listen="[::1]:0"), "http://[::1]:81"),
        (Http(listen=":0"), "http://example.org:81"),
        (Http(listen="[::]:0", certificate=Path("a"), key=Path("b")), "https://example.org:81"),
    ],
)
def test_where_people_reach_it(http: Http, address: str) -> None:
    assert reached_at(Settings(http=http, domain="example.org"), 81) == address
