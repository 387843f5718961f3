"""Every call of the route and every code, over HTTP as clients and others write it."""

import concurrent.futures
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from hongyan.core.errors import (
    Forbidden,
    HongyanError,
    Invalid,
    NoNode,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    TooLarge,
)
from hongyan.gateways.cim.answers import refusal
from tests.gateways.cim.client import SECONDS, Refused, json_of, raw_http
from tests.gateways.cim.site import Site


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


CLOSE = "Connection: close"
BAD_BODIES = [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"userId":{}}', b'{"userName":5}', b"null"]
CALLS = ["/registerAccount", "/login", "/groupRoute", "/p2pRoute", "/offLine", "/fetchOfflineMsgs"]


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"userId":{}}', b'{"userName":5}', b"null"]
)
def test_body_that_is_not_the_call_is_3000_with_status_200(site: Site, path: str, body: bytes) -> None:
    answer = raw_http(site.route_port, request("POST", path, body, CLOSE))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    found = json_of(answer)
    assert found["code"] == "3000"
    assert found["message"]
    assert found["dataBody"] is None


def test_tolerance_of_real_clients(site: Site) -> None:
    """Numbers as texts, fields that nobody knows, no Content-Type, a slash too much, any reqNo."""
    ann, bob = site.people(2)
    body = f'{{"reqNo":1234567890,"timeStamp":0,"userId":"{ann.number}","msg":"as text","deviceType":"android"}}'.encode()
    found = json_of(raw_http(site.route_port, request("POST", "/groupRoute/?x=1", body, CLOSE)))
    assert (found["code"], found["reqNo"]) == ("9000", "1234567890")
    bob.wire.text("as text")


def test_pipelined_requests_are_answered_in_order_on_one_connection(site: Site) -> None:
    data = b"".join(request("POST", "/registerAccount", b'{"reqNo":"%d","userName":"pipe%d"}' % (n, n)) for n in range(9))
    data += request("POST", "/registerAccount", b'{"reqNo":"9","userName":"pipe1"}', CLOSE)
    answers = raw_http(site.route_port, data).split(b"HTTP/1.1 200 OK")[1:]
    assert [json_of(answer)["reqNo"] for answer in answers] == [str(number) for number in range(10)]
    assert json_of(answers[1])["dataBody"]["userId"] == json_of(answers[9])["dataBody"]["userId"]


def test_h2c_that_javas_client_offers_is_not_taken(site: Site) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA")
    data = request("POST", "/registerAccount", b'{"userName":"java"}', *offer)
    data += request("POST", "/registerAccount", b'{"userName":"java"}', CLOSE)
    answers = raw_http(site.route_port, data).split(b"HTTP/1.1 200 OK")[1:]
    assert [json_of(answer)["code"] for answer in answers] == ["9000", "9000"]


def test_chunked_body_and_expectation(site: Site) -> None:
    head = b"POST /registerAccount HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    body = b'{"userName":"chunked"}'
    data = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    answer = raw_http(site.route_port, data)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("POST", "/nothing", b"{}", CLOSE), 404),
        (request("GET", "/login", b"", CLOSE), 405),
        (request("DELETE", "/groupRoute", b"", CLOSE), 405),
        (b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /login HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 20_000 + b"\r\n\r\n", 400),
        (b"POST /login HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (request("POST", "/registerAccount", b'{"userName":"flood"}') * 40, 503),
    ],
)
def test_what_is_no_call(site: Site, data: bytes, status: int) -> None:
    answer = raw_http(site.route_port, data)
    last = answer[answer.rindex(b"HTTP/1.1 ") :]
    if status == 503 and last.startswith(b"HTTP/1.1 200"):
        return  # what was asked before was being answered: then nothing comes behind it
    assert last.startswith(b"HTTP/1.1 %d " % status), last
    assert json_of(last)["code"] == "3000"


@pytest.mark.parametrize(
    "more",
    [
        {"path": "/groupRoute", "msg": ""},
        {"path": "/groupRoute", "msg": "  "},
        {"path": "/groupRoute", "msg": "a\0b"},
        {"path": "/groupRoute", "msg": "x" * 70_000},
        {"path": "/p2pRoute", "receiveUserId": 999_999, "msg": "x"},
        {"path": "/p2pRoute", "receiveUserId": 999_999},
        {"path": "/p2pRoute", "receiveUserId": 10_001, "batchMsg": ["x"] * 101},
    ],
)
def test_messages_that_cannot_be(site: Site, more: dict[str, Any]) -> None:
    person = site.people(1)[0]
    path = more.pop("path")
    assert person.api.code(path, userId=person.number, **more) == "3000"
    assert person.tell(person.number, "to oneself") == "3000"


def test_private_message_to_who_is_there_and_who_is_not(site: Site) -> None:
    ann, bob = site.people(2)
    away = site.person()
    assert ann.tell(bob.number, "one") == "9000"
    assert ann.tell(away.number, "two") == "7000"
    body = {"userId": ann.number, "receiveUserId": bob.number, "msg": "first", "batchMsg": ["second", "third"]}
    assert ann.api.code("/p2pRoute", **body) == "9000"
    bob.wire.text("third")
    assert bob.wire.texts() == ["one", "first", "second", "third"]


def test_login_gives_a_place(site: Site) -> None:
    person = site.person()
    place = person.api.call("/login", userId=str(person.number), userName=person.name)
    assert place == {"ip": "127.0.0.1", "cimServerPort": site.port, "httpPort": site.route_port}


def test_call_for_somebody_else_from_another_address_is_refused_and_logged(site: Site) -> None:
    ann, bob = site.people(2)
    stranger = site.api(local="127.0.0.2")
    assert stranger.code("/groupRoute", userId=ann.number, msg="as ann") == "9100"
    assert stranger.code("/p2pRoute", userId=ann.number, receiveUserId=bob.number, msg="as ann") == "9100"
    assert stranger.code("/offLine", userId=ann.number, msg="x") == "9100"
    assert stranger.code("/fetchOfflineMsgs", receiveUserId=ann.number) == "9100"
    assert stranger.code("/groupRoute", userId=31_337, msg="as nobody") == "9100"
    with pytest.raises(Refused, match="9100"):
        stranger.online()
    assert f"CIM /groupRoute from 127.0.0.2 refused: {ann.name} is logged in from 127.0.0.1" in site.server.output()
    ann.wire.ping()
    ann.group("still there")
    bob.wire.text("still there")
    assert bob.wire.texts() == ["still there"]


def test_call_for_somebody_who_is_not_logged_in_is_refused(site: Site) -> None:
    person = site.person()
    assert person.api.code("/groupRoute", userId=person.number, msg="x") == "9100"
    assert person.fetch() == "9100"


def test_token_speaks_from_anywhere_for_its_user_only(site: Site) -> None:
    (web, other) = site.server.people("tokened", "elsewhere")
    number = site.number("tokened")
    friend = site.people(1)[0]
    mine = site.api(web.token, "127.0.0.3")
    assert mine.code("/groupRoute", userId=number, msg="by token") == "9000"
    friend.wire.text("by token")
    assert mine.code("/groupRoute", userId=friend.number, msg="x") == "9100"
    assert site.api(other.token).code("/groupRoute", userId=number, msg="x") == "9100"
    assert site.api("nonsense").code("/groupRoute", userId=friend.number, msg="x") == "9100"
    assert friend.number in mine.online()
    assert mine.code("/fetchOfflineMsgs", receiveUserId=number) == "7000", "there is no connection to push to"
    web.call("POST", "/v1/logout")
    assert mine.code("/groupRoute", userId=number, msg="x") == "9100"


def test_connections_of_another_address_stand_for_themselves(site: Site) -> None:
    here, there = site.people(1)[0], site.person(local="127.0.0.2").login()
    assert there.api.code("/groupRoute", userId=there.number, msg="from there") == "9000"
    assert there.api.code("/groupRoute", userId=here.number, msg="x") == "9100"
    assert here.api.code("/groupRoute", userId=there.number, msg="x") == "9100"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    limits = {"LIMITS_REQUESTS_PER_SECOND": "0.2", "LIMITS_REQUESTS_BURST": "12", "LIMITS_SENDS_PER_SECOND": "0.2"}
    with Site(tmp_path_factory.mktemp("narrow") / "data", LIMITS_SENDS_BURST="3", **limits) as site:
        yield site


def test_rates(narrow: Site) -> None:
    person = narrow.people(1)[0]
    codes = [person.api.code("/groupRoute", userId=person.number, msg=str(number)) for number in range(6)]
    assert codes == ["9000"] * 3 + ["6000"] * 3, "the sender's"
    for path in ("/registerAccount", "/login"):
        api = narrow.api(local="127.0.0.9" if path == "/login" else "127.0.0.8")
        body = {"userId": person.number, "userName": person.name}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda _, path=path, api=api, body=body: api.code(path, **body), range(14)))  # type: ignore[misc]
        assert codes.count("6000") >= 2, "the address's"
    assert person.api.code("/groupRoute", userId=person.number, msg="x") == "6000"
    person.wire.ping()


def test_stranger_who_logs_in_over_and_over_is_slowed_down(narrow: Site) -> None:
    for _ in range(14):
        with narrow.wire(local="127.0.0.7") as wire:
            wire.login(1, "nobody")
            wire.wait_closed()
    assert narrow.server.metric("hongyan_cim_logins_total", outcome="rate-limited") >= 2


def test_requests_that_do_not_end_are_cut(site: Site) -> None:
    """Slow ones: they are many and hold nothing up."""
    slow = [socket.create_connection(("127.0.0.1", site.route_port), SECONDS) for _ in range(50)]
    for one in slow:
        one.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    person = site.people(1)[0]
    person.group("meanwhile")
    for one in slow:
        one.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable(), "8000"),
        (Overloaded(), "8000"),
        (OutcomeUnknown(), "8000"),
        (RateLimited(), "6000"),
        (Invalid(), "3000"),
        (TooLarge(), "3000"),
        (NotFound(), "3000"),
        (Forbidden(), "4000"),
        (HongyanError(), "4000"),
        (NoNode(), "7100"),
    ],
)
def test_what_errors_of_the_services_are_called(error: HongyanError, code: str) -> None:
    assert refusal(error).code == code
