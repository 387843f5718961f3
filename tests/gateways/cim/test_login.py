"""Who may log in, and what becomes of a log-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways.cim import client
from tests.gateways.cim.client import Refused, raw_http
from tests.gateways.cim.site import Site
from tests.serving import wait_for


@pytest.fixture(scope="module")
def replacing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("replacing") / "data", CIM_REPEATED="replace", CIM_REGISTER="true") as site:
        yield site


def refused_on_tcp(site: Site, number: int, name: str) -> None:
    with site.wire() as wire:
        wire.login(number, name)
        wire.wait_closed()
        assert wire.received == []


def test_name_is_given_its_number_again_in_whatever_case(site: Site) -> None:
    api = site.api()
    first = api.call("/registerAccount", userName="LiSi")
    assert first == {"userId": first["userId"], "userName": "LiSi"}
    assert api.call("/registerAccount", userName="lisi")["userId"] == first["userId"]
    (web,) = site.server.people("already")
    number = api.call("/registerAccount", userName="already")["userId"]
    assert number > first["userId"]
    site.known("LISI", first["userId"]).login().quit()
    assert web.call("GET", "/v1/users", prefix="lisi")["users"] == [{"id": "lisi", "name": "LiSi"}]


@pytest.mark.parametrize("name", ["", "two words", "a;;b", "x" * 65, "_x"])
def test_names_that_cannot_be_are_refused(site: Site, name: str) -> None:
    assert site.api().code("/registerAccount", userName=name) == "3000"


def test_wrong_pair_of_number_and_name(site: Site) -> None:
    ann, bob = site.person(), site.person()
    for number, name in ((ann.number, bob.name), (999_999, ann.name), (0, ""), (ann.number, "not a name;;")):
        assert site.api().code("/login", userId=number, userName=name) == "9100"
        refused_on_tcp(site, number, name)


def test_account_with_a_password_takes_a_token(site: Site) -> None:
    (web, other) = site.server.people("haspassword", "another")
    number = site.api().call("/registerAccount", userName="haspassword")["userId"]
    for name in ("haspassword", "haspassword wrong", f"haspassword {other.token}", f"another {other.token}", f" {web.token}"):
        assert site.api().code("/login", userId=number, userName=name) == "9100", name
        refused_on_tcp(site, number, name)
    person = site.known(f"haspassword {web.token}", number).login()
    person.group("with a token")
    web.call("POST", "/v1/logout")
    person.wire.wait_closed()
    assert site.api().code("/login", userId=number, userName=person.name) == "9100"
    wait_for(lambda: site.record(person)[0] is None)


def test_open_account_that_gets_a_password_needs_a_token_from_then_on(site: Site) -> None:
    person = site.person()
    person.login()
    site.quit(person)
    assert site.server.command("user", "passwd", person.name, "--password-stdin", input="wild goose\n").returncode == 0
    assert site.api().code("/login", userId=person.number, userName=person.name) == "9100"
    refused_on_tcp(site, person.number, person.name)


def test_open_account_can_log_in_nowhere_else(site: Site) -> None:
    person = site.person()
    for password in ("", person.name, "x" * 20):
        answer = site.server.client().post("/v1/login", json={"username": person.name, "password": password, "device": "x"})
        assert answer.status_code in (400, 401)


def test_disabled_account_is_cut_and_cannot_come_back(site: Site) -> None:
    person = site.people(1)[0]
    assert site.server.command("user", "disable", person.name).returncode == 0
    person.wire.wait_closed()
    wait_for(lambda: site.record(person)[0] is None)
    assert site.api().code("/login", userId=person.number, userName=person.name) == "9100"
    refused_on_tcp(site, person.number, person.name)


def test_repeated_log_in_is_refused_until_the_first_ends(site: Site) -> None:
    person = site.people(1)[0]
    with pytest.raises(Refused, match="5000"):
        site.api().call("/login", userId=person.number, userName=person.name)
    refused_on_tcp(site, person.number, person.name)
    person.wire.ping()
    person.quit()
    person.login()  # at once: the end of the first is waited for
    assert site.api().code("/offLine", userId=person.number, msg="offLine") == "9000"
    person.wire.wait_closed()
    person.login()


def test_repeated_log_in_replaces_the_first(replacing: Site) -> None:
    friend = replacing.people(1)[0]
    person = replacing.people(1)[0]
    first = person.wire
    person.login()
    first.wait_closed()
    friend.group("who hears this")
    person.wire.text("who hears this")
    assert first.texts() == []
    assert replacing.record(person)[0] is not None, "the end of the first clears nothing of the second"
    person.group("and may speak")
    friend.wire.text("and may speak")


def test_offline_without_a_log_in_changes_nothing(site: Site) -> None:
    person = site.person()
    assert site.api().code("/offLine", userId=person.number, msg="offLine") == "9000"
    assert site.api().code("/offLine", userId=424_242, msg="offLine") == "9000"


def test_accounts_are_not_made_where_that_is_switched_off(tmp_path: Path) -> None:
    with Site(tmp_path / "data", CIM_REGISTER="false", CIM_LOGIN_SECONDS="0.3", CIM_IDLE_SECONDS="0.6") as site:
        site.server.add("there")
        assert site.api().code("/registerAccount", userName="new") == "4000"
        assert site.api().code("/registerAccount", userName="there") == "9000"
        silent = site.wire()
        silent.wait_closed(3)
        web = site.server.login("there")
        number = site.api().call("/registerAccount", userName="there")["userId"]
        person = site.known(f"there {web.token}", number).login()
        for _ in range(3):
            person.wire.ping()
        person.wire.wait_closed(3)
        assert site.server.metric("hongyan_cim_closed_total", reason="late") == 1
        assert site.server.metric("hongyan_cim_closed_total", reason="idle") == 1


def test_faulty_frames_end_the_connection(site: Site) -> None:
    person = site.people(1)[0]
    for data in (client.varint(1 << 30), client.varint(-1), b"\xff" * 10, client.framed(client.number_field(3, 77))):
        person.wire.send_bytes(data)
        person.wire.wait_closed()
        person.login()
    with site.wire() as wire:
        wire.send(client.Message("hi", 1, client.MESSAGE))
        wire.wait_closed()
    with site.wire() as wire:
        wire.send_bytes(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: somebody who has mistaken the port\r\n\r\n")
        wire.wait_closed()
    assert raw_http(site.route_port, client.frame(client.Message("x", 1))).startswith(b"HTTP/1.1 400 ")
