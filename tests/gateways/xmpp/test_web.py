"""Streams on the web port: WebSocket (RFC 7395), BOSH (XEP-0124, 0206), and how they are found (XEP-0156)."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateways.xmpp.framed_raw import BIND, BOSH, CLIENT, FRAMING, OPEN, STREAM, Bosh, Socket, auth, message
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.operation import certificates

ERRORS = "{urn:ietf:params:xml:ns:xmpp-streams}"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("web") / "data", XMPP_WEB="true", XMPP_ALLOW_PLAINTEXT="true") as site:
        yield site


def test_it_is_off_unless_it_is_switched_on(site: Site) -> None:
    with pytest.raises(InvalidStatus) as refused, Socket(site):
        pass
    assert refused.value.response.status_code == 404
    assert httpx.post(f"{site.server.url}/xmpp/bosh", content="<body/>").status_code == 404
    assert httpx.get(f"{site.server.url}/.well-known/host-meta").status_code == 404


def test_two_write_to_each_other_over_websocket_and_bosh(web: Site) -> None:
    alice, bob = web.people("alice", "bob")
    with Socket(web) as a, Bosh(web) as b:
        assert a.log_in(alice.id).startswith(f"{alice.id}@{DOMAIN}/")
        assert b.log_in(bob.id).startswith(f"{bob.id}@{DOMAIN}/")
        a.say("<presence xmlns='jabber:client'/>")
        b.say("<presence xmlns='jabber:client'/>" + message(alice.id, "从 BOSH 来"))
        heard = a.until(f"{CLIENT}message")
        assert heard.findtext(f"{CLIENT}body") == "从 BOSH 来"
        a.say(message(bob.id, "在 &lt;&amp;"))
        assert b.hear(f"{CLIENT}message").findtext(f"{CLIENT}body") == "在 <&"
    assert alice.texts(alice.direct(bob.id)) == ["从 BOSH 来", "在 <&"]


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='elsewhere.test' version='1.0'/>", "host-unknown"),
        ("<open to='hongyan.example' version='1.0'/>", "invalid-namespace"),
        ("<stream:stream>", "not-well-formed"),
        ("<a/><b/>", "not-well-formed"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "restricted-xml"),
        ("<message xmlns='jabber:client'/>", "invalid-namespace"),
        ("<a>" * 200, "policy-violation"),
    ],
)
def test_a_bad_beginning_ends_the_stream(web: Site, said: str, condition: str) -> None:
    with Socket(web) as socket:
        socket.say(said)
        assert socket.until(f"{STREAM}error")[0].tag == f"{ERRORS}{condition}"
        assert socket.hear().tag == f"{FRAMING}close"


def test_a_stranger_may_not_send_what_is_large_nor_what_is_no_text(web: Site) -> None:
    for said, code in ((b"<a/>", 1007), ("<a>" + "b" * 20_000, 1009)):
        with Socket(web) as socket:
            socket.connection.send(said)
            with pytest.raises(ConnectionClosed) as closed:
                socket.until("nothing")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code


def test_fragments_are_one_message_and_pings_are_answered(web: Site) -> None:
    with Socket(web) as socket:
        socket.connection.send([OPEN[:20], OPEN[20:]])
        assert socket.connection.ping().wait(10)
        assert socket.hear().tag == f"{FRAMING}open"


def test_a_good_bye_is_answered(web: Site) -> None:
    with Socket(web) as socket:
        socket.open()
        socket.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
        assert socket.hear().tag == f"{FRAMING}close"


def test_pages_of_strangers_and_other_subprotocols_are_refused(web: Site) -> None:
    for more, status in (({"origin": "https://elsewhere.test"}, 403), ({"subprotocols": ["hongyan.json"]}, 400)):
        with pytest.raises(InvalidStatus) as refused, Socket(web, **more):
            pass
        assert refused.value.response.status_code == status
    answer = httpx.post(f"{web.server.url}/xmpp/bosh", content="<body/>", headers={"Origin": "https://elsewhere.test"})
    assert answer.status_code == 403
    assert httpx.get(f"{web.server.url}/xmpp/bosh").status_code == 405


def test_without_tls_nobody_logs_in_unless_it_is_allowed(tmp_path: Path) -> None:
    with Site(tmp_path / "data", XMPP_WEB="true") as site:
        with Socket(site) as socket:
            assert not list(socket.open().iter("{urn:ietf:params:xml:ns:xmpp-sasl}mechanism"))
            socket.say(auth("anybody"))
            assert socket.hear()[0].tag.endswith("}encryption-required")
        with Bosh(site) as bosh:
            bosh.begin()
            assert bosh.say(auth("anybody"))[0][0].tag.endswith("}encryption-required")
        answer = httpx.post(f"{site.server.url}/xmpp/bosh", content=b"<body>" + b"a" * 20_000)
        assert answer.status_code == 413  # of strangers


def test_tls_of_the_port_is_enough(tmp_path: Path) -> None:
    tls = certificates.make(tmp_path, "web")
    with Site(tmp_path / "data", "--certificate", str(tls[0]), "--key", str(tls[1]), XMPP_WEB="true", start=False) as site:
        import ssl

        site.server.verify = ssl.create_default_context(cafile=tls[0])
        site.server.start()
        (alice,) = site.people("alice")
        with Socket(site, trust=site.server.verify) as socket:
            socket.log_in(alice.id)
        with Bosh(site) as bosh:
            bosh.log_in(alice.id)


def test_streams_are_found_by_host_meta(web: Site) -> None:
    document = httpx.get(f"{web.server.url}/.well-known/host-meta")
    assert document.headers["content-type"] == "application/xrd+xml"
    found = {one.get("rel"): one.get("href") for one in ElementTree.fromstring(document.content)}  # noqa: S314
    address = f"127.0.0.1:{web.server.port}"
    wanted = {
        "urn:xmpp:alt-connections:websocket": f"ws://{address}/xmpp/ws",
        "urn:xmpp:alt-connections:xbosh": f"http://{address}/xmpp/bosh",
    }
    assert found == wanted
    listed = json.loads(httpx.get(f"{web.server.url}/.well-known/host-meta.json").content)["links"]
    assert {one["rel"]: one["href"] for one in listed} == wanted
    forged = httpx.get(f"{web.server.url}/.well-known/host-meta", headers={"Host": "a'b<c"})
    assert "a'b" not in forged.text


# BOSH


def test_an_answer_that_was_lost_comes_again(web: Site) -> None:
    (alice,) = web.people("alice")
    with Bosh(web) as bosh:
        first = bosh.begin()
        assert first.get("requests") == "2"
        body = bosh.body(auth(alice.id))
        once, again = bosh.post(body), bosh.post(body)
        assert ElementTree.tostring(once) == ElementTree.tostring(again)
        assert once[0].tag.endswith("}success")


def test_requests_are_taken_in_the_order_of_their_numbers(web: Site) -> None:
    alice, bob = web.people("alice", "bob")
    with Bosh(web) as a, Bosh(web) as b:
        a.log_in(alice.id)
        b.log_in(bob.id)
        first, second = a.body(message(bob.id, "一")), a.body(message(bob.id, "二"))
        with ThreadPoolExecutor(2) as pool:
            later = pool.submit(a.post, second)
            pool.submit(a.post, first).result()
            a.say()  # over what is held
            later.result()
    assert alice.texts(alice.direct(bob.id)) == ["一", "二"]


def test_numbers_outside_the_window_end_the_session(web: Site) -> None:
    for far in (50, -50):
        with Bosh(web) as bosh:
            bosh.begin()
            answer = bosh.say(rid=next(bosh.rids) + far)
            assert (answer.get("type"), answer.get("condition")) == ("terminate", "item-not-found")


@pytest.mark.parametrize(
    "body",
    ["", "words", "<body/>", f"<body xmlns='{BOSH[1:-1]}'/>", "<!DOCTYPE a><a/>", f"<body xmlns='{BOSH[1:-1]}' rid='-1'/>"],
)
def test_what_is_no_request_of_bosh(web: Site, body: str) -> None:
    with Bosh(web) as bosh:
        assert bosh.post(body).get("condition") == "bad-request"


def test_a_session_that_is_not_there(web: Site) -> None:
    with Bosh(web) as bosh:
        bosh.sid = "nobody"
        assert bosh.say().get("condition") == "item-not-found"


def test_errors_of_the_stream_come_in_the_last_answer(web: Site) -> None:
    with Bosh(web) as bosh:
        answer = bosh.begin(to="elsewhere.test")
        assert (answer.get("type"), answer.get("condition")) == ("terminate", "remote-stream-error")
        assert answer[0][0].tag == f"{ERRORS}host-unknown"


def test_the_end_is_said(web: Site) -> None:
    (alice,) = web.people("alice")
    with Bosh(web) as bosh:
        bosh.log_in(alice.id)
        answer = bosh.say("<presence xmlns='jabber:client' type='unavailable'/>", "type='terminate'")
        assert answer.get("type") == "terminate"
        assert bosh.say().get("type") == "terminate"


def test_a_pause_is_answered_at_once(web: Site) -> None:
    (alice,) = web.people("alice")
    with Bosh(web, wait=60) as bosh:
        bosh.log_in(alice.id)
        assert bosh.say("", "pause='60'").get("type") is None
        assert bosh.say("", "pause='1000'").get("condition") == "policy-violation"


def test_a_request_whose_client_has_gone_may_come_again(web: Site) -> None:
    alice, bob = web.people("alice", "bob")
    with Bosh(web, wait=60) as a:
        a.log_in(alice.id)
        answer = a.say("<presence xmlns='jabber:client'/>" + BIND)
        if all(element.tag != f"{CLIENT}presence" for element in answer):
            a.hear(f"{CLIENT}presence")
        body = a.body()
        with pytest.raises(httpx.ReadTimeout):
            a.http.post("/xmpp/bosh", content=body, timeout=0.2)
        bob.send(bob.direct(alice.id), "还在吗")
        assert a.post(body)[0].findtext(f"{CLIENT}body") == "还在吗"
