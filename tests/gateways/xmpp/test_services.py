"""What the server says of itself: contacts (XEP-0157), hash (XEP-0115), services for calls (XEP-0215); passwords (XEP-0077)."""

import base64
import hmac
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from hongyan.config.load import SettingsError, load
from hongyan.gateways.xmpp.caps import hashed
from hongyan.gateways.xmpp.codec import parse
from hongyan.gateways.xmpp.held import Held
from hongyan.gateways.xmpp.xeps.services import Service, credentials, read
from tests.gateways.xmpp.framed_raw import Socket, authenticate
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import PASSWORD, Refused

EXT = "urn:xmpp:extdisco:2"
SETTINGS = {
    "XMPP_WEB": "true",
    "XMPP_ALLOW_PLAINTEXT": "true",
    "XMPP_CONTACTS": "abuse=mailto:abuse@hongyan.example,support=https://hongyan.example/help",
    "XMPP_SERVICES": "stun:turn.hongyan.example,turns:turn.hongyan.example:5349?transport=tcp",
    "XMPP_TURN_SECRET": "north",
}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("web") / "data", **SETTINGS) as site:
        yield site


def asked(socket: Socket, type: str, inside: str, to: str = DOMAIN) -> ElementTree.Element:
    socket.say(f"<iq xmlns='jabber:client' type='{type}' id='q' to='{to}'>{inside}</iq>")
    return socket.until("{jabber:client}iq")


def test_whom_to_write_to_and_the_hash_of_it(web: Site) -> None:
    (alice,) = web.people("alice")
    with Socket(web) as socket:
        socket.open()
        socket.say(authenticate(alice.id, "<bind xmlns='urn:xmpp:bind:0'/>"))
        socket.hear()
        caps = socket.hear().find("{http://jabber.org/protocol/caps}c")
        assert caps is not None
        node = f"{caps.get('node')}#{caps.get('ver')}"
        info = asked(socket, "get", f"<query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/>")[0]
        values = [value.text for value in info.iter("{jabber:x:data}value")]
        assert "mailto:abuse@hongyan.example" in values
        assert hashed(parse(ElementTree.tostring(info), 100_000)) == caps.get("ver")


def test_the_hash_of_the_specification() -> None:
    said = """<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' name='Exodus 0.9.1' type='pc'/>
    <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>
    <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/></query>"""
    assert hashed(parse(said.encode(), 10_000)) == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_services_with_passwords_that_end(web: Site) -> None:
    (alice,) = web.people("alice")
    with Socket(web) as socket:
        socket.log_in(alice.id)
        stun, turn = asked(socket, "get", f"<services xmlns='{EXT}'/>")[0]
        assert (stun.get("type"), stun.get("port"), stun.get("password")) == ("stun", "3478", None)
        name = turn.get("username") or ""
        assert name.endswith(f":{alice.id}")
        assert turn.get("password") == base64.b64encode(hmac.digest(b"north", name.encode(), "sha1")).decode()
        only = asked(socket, "get", f"<services xmlns='{EXT}' type='stun'/>")[0]
        assert [one.get("type") for one in only] == ["stun"]
        one = "<service host='turn.hongyan.example' type='turns'/>"
        assert asked(socket, "get", f"<credentials xmlns='{EXT}'>{one}</credentials>")[0][0].get("restricted") == "true"
        other = "<service host='elsewhere' type='turns'/>"
        assert asked(socket, "get", f"<credentials xmlns='{EXT}'>{other}</credentials>").get("type") == "error"
        assert asked(socket, "get", f"<credentials xmlns='{EXT}'/>").get("type") == "error"


def test_addresses_of_services() -> None:
    assert read("turn:a.test:1?transport=tcp") == Service("turn", "a.test", 1, "tcp")
    assert read("turns:[::1]") == Service("turns", "[::1]", 5349, "tcp")
    assert read("stun:[::1]:9") == Service("stun", "[::1]", 9, "udp")
    assert credentials("north", "alice", 1)[0] == "1:alice"


@pytest.mark.parametrize(
    ("name", "text"), [("xmpp.services", "http://a"), ("xmpp.services", "turn:"), ("xmpp.contacts", "boss=a")]
)
def test_settings_that_are_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load(flags={name: text})


def test_a_password_is_changed_by_who_knows_the_old_one(web: Site) -> None:
    (alice,) = web.people("alice")

    def form(old: str, new: str) -> str:
        said = {"FORM_TYPE": "jabber:iq:register:changepassword", "username": alice.id, "old_password": old, "password": new}
        fields = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in said.items())
        return f"<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>{fields}</x></query>"

    with Socket(web) as socket:
        socket.log_in(alice.id)
        bare = f"<query xmlns='jabber:iq:register'><username>{alice.id}</username><password>other goose 1</password></query>"
        for refused in (bare, form("wrong goose 1", "other goose 1"), "<query xmlns='jabber:iq:register'><remove/></query>"):
            assert asked(socket, "set", refused).get("type") == "error"
        assert asked(socket, "set", form(PASSWORD, "other goose 1")).get("type") == "result"
        assert asked(socket, "get", "<ping xmlns='urn:xmpp:ping'/>").get("type") == "result"
    web.server.login(alice.id, "other goose 1")
    with pytest.raises(Refused):
        web.server.login(alice.id)


def test_what_can_wait_waits_while_nobody_looks() -> None:
    held = Held()
    presence = {"type": "presence", "user": "alice", "status": "away"}
    assert not held.keeps(presence)
    held.active = False
    assert held.keeps(presence)
    assert held.keeps({**presence, "status": "online"})
    assert not held.keeps({"type": "read", "user": "alice"})
    assert held.keeps({"type": "typing", "user": "alice", "conversation": "c", "typing": True})
    assert [body["type"] for body in held.release()] == ["presence", "typing"]
    assert held.release() == []
    for number in range(2_000):
        held.keeps({"type": "presence", "user": str(number)})
    assert len(held.release()) == 1_000
