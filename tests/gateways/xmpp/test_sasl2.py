"""Logging in by SASL2 (XEP-0388), with a resource (XEP-0386) and stream management inside."""

from collections.abc import Iterator

import pytest

from tests.gateways.xmpp.framed_raw import BIND2, CLIENT, SASL, SASL2, SM, STREAM, Socket, auth, authenticate, message
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import PASSWORD

AGENT = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Test</software></user-agent>"
BIND = "<bind xmlns='urn:xmpp:bind:0'><tag>Test</tag>{}</bind>"
ENABLE = BIND.format("<enable xmlns='urn:xmpp:sm:3' resume='true'/><enable xmlns='urn:xmpp:carbons:2'/>")
AVAILABLE = "<presence xmlns='jabber:client'/>"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("web") / "data", XMPP_WEB="true", XMPP_ALLOW_PLAINTEXT="true") as site:
        yield site


def test_one_round_logs_in_and_binds(web: Site) -> None:
    (alice,) = web.people("alice")
    names = []
    for _ in range(2):
        with Socket(web) as socket:
            features = socket.open()
            assert features.find(f"{SASL2}authentication/{SASL2}inline/{BIND2}bind") is not None
            socket.say(authenticate(alice.id, AGENT + ENABLE))
            success = socket.hear()
            assert success.tag == f"{SASL2}success"
            assert success.find(f"{BIND2}bound/{SM}enabled") is not None
            assert socket.hear().tag == f"{STREAM}features"
            names.append(success.findtext(f"{SASL2}authorization-identifier") or "")
    assert names[0].startswith(f"{alice.id}@{DOMAIN}/Test.")
    assert names[0] == names[1], "the same installation is the same resource"


def test_a_password_that_somebody_else_chose_has_to_be_changed_first(web: Site) -> None:
    """As `hongyan user add` and `user passwd` leave it."""
    (alice,) = web.people("alice")
    new = "another wild goose 8440"
    for stale in (True, False):
        if stale:
            assert web.server.command("user", "passwd", alice.id, "--password-stdin", input=f"{PASSWORD}\n").returncode == 0
        else:
            person = web.server.login(alice.id)
            person.call("POST", "/v1/password", {"old": PASSWORD, "new": new})
        password = PASSWORD if stale else new
        for request, space in ((auth(alice.id, password), SASL), (authenticate(alice.id, password=password), SASL2)):
            with Socket(web) as socket:
                socket.open()
                socket.say(request)
                answer = socket.hear()
                if not stale:
                    assert answer.tag == f"{space}success"
                    continue
                assert answer.tag == f"{space}failure"
                assert answer.find(f"{SASL}credentials-expired") is not None
                assert "password of your own" in (answer.findtext(f"{space}text") or "")


def test_without_bind_the_old_way_to_a_resource_is_there(web: Site) -> None:
    (alice,) = web.people("alice")
    with Socket(web) as socket:
        socket.open()
        socket.say(authenticate(alice.id))
        assert socket.hear().findtext(f"{SASL2}authorization-identifier") == f"{alice.id}@{DOMAIN}"
        assert socket.hear().find("{urn:ietf:params:xml:ns:xmpp-bind}bind") is not None


def test_resuming_inside_the_log_in_brings_what_was_not_acknowledged(web: Site) -> None:
    alice, bob = web.people("alice", "bob")
    lane = bob.direct(alice.id)
    with Socket(web) as socket:
        socket.open()
        socket.say(authenticate(alice.id, ENABLE))
        enabled = socket.hear().find(f"{BIND2}bound/{SM}enabled")
        assert enabled is not None
        socket.say(AVAILABLE)
        bob.send(lane, "一")
        assert socket.until(f"{CLIENT}message").findtext(f"{CLIENT}body") == "一"
        socket.connection.socket.close()  # without a word
    resume = f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='0'/>"
    with Socket(web) as socket:
        socket.open()
        socket.say(authenticate(alice.id, resume))
        success = socket.hear()
        assert success.find(f"{SM}resumed") is not None
        assert socket.hear().tag == f"{STREAM}features"
        assert socket.until(f"{CLIENT}message").findtext(f"{CLIENT}body") == "一"
        bob.send(lane, "二")
        assert socket.until(f"{CLIENT}message").findtext(f"{CLIENT}body") == "二"
        socket.say(message(bob.id, "三"))
        handled = ""
        while handled != "2":  # the presence, and the message once it is durable
            socket.say("<r xmlns='urn:xmpp:sm:3'/>")
            handled = socket.until(f"{SM}a").get("h", "")
    assert bob.texts(lane) == ["一", "二", "三"]


def test_what_cannot_be_resumed_is_bound_instead(web: Site) -> None:
    (alice,) = web.people("alice")
    with Socket(web) as socket:
        socket.open()
        socket.say(authenticate(alice.id, "<resume xmlns='urn:xmpp:sm:3' previd='nothing' h='0'/>" + ENABLE))
        success = socket.hear()
        assert success.find(f"{SM}failed") is not None
        assert success.find(f"{BIND2}bound") is not None


def test_a_wrong_password_and_a_bad_order(web: Site) -> None:
    with Socket(web) as socket:
        socket.open()
        socket.say(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AGEAYg==</initial-response></authenticate>"
        )
        failure = socket.hear()
        assert failure.tag == f"{SASL2}failure"
        assert failure[0].tag == "{urn:ietf:params:xml:ns:xmpp-sasl}not-authorized"
        socket.say("<response xmlns='urn:xmpp:sasl:2'/>")
        assert socket.hear().tag == f"{STREAM}error"


def test_the_rest_of_an_attempt_is_of_its_own_kind(web: Site) -> None:
    with Socket(web) as socket:
        socket.open()
        socket.say("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'/>")
        assert socket.hear().tag == f"{SASL2}challenge"
        socket.say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        assert socket.hear().tag == f"{STREAM}error"
