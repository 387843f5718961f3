"""Hashes of capabilities: the examples of XEP-0115, sections 5.2 and 5.3."""

from hongyan.gateways.xmpp.caps import Known, verified, wants
from hongyan.gateways.xmpp.codec import Element, parse

INFO = "http://jabber.org/protocol/disco#info"
_FEATURES = ("caps", "disco#items", "disco#info", "muc")


def _info(identities: str, form: str = "", more: str = "") -> Element:
    features = "".join(f"<feature var='http://jabber.org/protocol/{name}'/>" for name in _FEATURES)
    return parse(f"<query xmlns='{INFO}'>{identities}{features}{more}{form}</query>".encode(), 10_000)


def test_the_simple_example() -> None:
    info = _info("<identity category='client' name='Exodus 0.9.1' type='pc'/>")
    assert verified("sha-1", "QgayPKawpkPSDYmwT/WM94uAlu0=", info)
    assert not verified("sha-1", "QgayPKawpkPSDYmwT/WM94uAlu1=", info)
    assert not verified("md2", "QgayPKawpkPSDYmwT/WM94uAlu0=", info)


def test_the_complex_example() -> None:
    values = (("os", "Mac"), ("os_version", "10.5.1"), ("software", "Psi"), ("software_version", "0.11"))
    fields = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in values)
    ip = "<field var='ip_version'><value>ipv4</value><value>ipv6</value></field>"
    type = "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>"
    identities = (
        "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
        "<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>"
    )
    assert verified(
        "sha-1", "q07IKJEyjvHSyhy//CH0CxmKi8w=", _info(identities, f"<x xmlns='jabber:x:data'>{type}{ip}{fields}</x>")
    )


def test_a_client_does_not_speak_for_a_hash_that_is_not_its() -> None:
    known = Known()
    lie = _info("", more="<feature var='urn:x+notify'/>")
    assert known.learn("sha-1 QgayPKawpkPSDYmwT/WM94uAlu0=", lie) == {"urn:x"}
    assert known.get("sha-1 QgayPKawpkPSDYmwT/WM94uAlu0=") is None


def test_wants_are_bounded() -> None:
    assert len(wants(_info("", more="".join(f"<feature var='urn:{n}+notify'/>" for n in range(150))))) == 100
