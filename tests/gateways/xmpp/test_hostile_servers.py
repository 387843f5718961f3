"""Servers that are not who they say, or say what they may not."""

import asyncio
import contextlib
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hongyan.gateways.door.tls import CertificateError
from hongyan.gateways.xmpp.jid import Jid, of_user
from hongyan.gateways.xmpp.s2s.dialback import is_right, key
from hongyan.gateways.xmpp.s2s.tls import make_context
from tests.counterparts.authority import Authority
from tests.counterparts.dns import NameServer
from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.raw import Raw
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Refused

MALLORY = "mallory.example"
HEAD = (
    f"<?xml version='1.0'?><stream:stream from='{MALLORY}' to='{DOMAIN}' version='1.0' xmlns='jabber:server' "
    "xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>"
)
STREAMS = "urn:ietf:params:xml:ns:xmpp-streams"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


class Place:
    def __init__(self, site: Site, authority: Authority) -> None:
        self.site = site
        self.authority = authority


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Nobody is found by name, so that no key can be asked about."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    authority = Authority(folder / "authority")
    site = Site(
        folder / "data",
        tls=authority.issue(DOMAIN, f"rooms.{DOMAIN}"),
        authority=authority.certificate,
        start=False,
        XMPP_S2S_AUTHORITIES=str(authority.certificate),
        XMPP_S2S_DENY="denied.example",
        XMPP_S2S_STANZAS_PER_SECOND="50",
        XMPP_S2S_PER_ADDRESS="8",
        XMPP_S2S_NEWCOMERS_PER_DAY="40",
    )
    with NameServer(folder / "dns") as names:
        site.federates(names.port)
        with site:
            site.server.start()
            yield Place(site, authority)


@contextlib.asynccontextmanager
async def server(place: Place, *names: str, shown: tuple[Path, Path] | None = None) -> AsyncIterator[Raw]:
    """A connection with TLS, shown a certificate for these names, or another one, or none."""
    context = ssl.create_default_context(cafile=str(place.authority.certificate))
    if names or shown is not None:
        context.load_cert_chain(*(shown or place.authority.issue(*names)))
    reader, writer = await asyncio.open_connection("127.0.0.1", place.site.s2s_port)
    raw = Raw(place.site, reader, writer)
    try:
        await raw.say(HEAD)
        assert "<required/>" in await raw.until("</stream:features>")
        await raw.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await raw.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await raw.encrypt(context)
        yield raw
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def mallory(place: Place) -> AsyncIterator[Raw]:
    """A server that has proven who it is."""
    async with server(place, MALLORY) as raw:
        await raw.say(HEAD)
        assert "EXTERNAL" in await raw.until("</stream:features>")
        said = b64encode(MALLORY.encode()).decode()
        await raw.say(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{said}</auth>")
        await raw.until(f"<success xmlns='{SASL}'/>")
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        yield raw


def message(to: str, *, sender: str = f"m@{MALLORY}", text: str = "hello", id: str = "0123456789abcdef") -> str:
    return f"<message from='{sender}' to='{to}' type='chat' id='{id}'><body>{text}</body></message>"


async def test_who_has_proven_it_may_speak_for_itself(place: Place) -> None:
    (alice,) = place.site.people("alice")
    async with client(place.site, alice.id) as a, mallory(place) as raw:
        await raw.say(message(f"{alice.id}@{DOMAIN}"))
        await a.has("hello")
        assert a.messages[0]["from"].bare == f"m@{MALLORY}"


@pytest.mark.parametrize(
    ("stanza", "condition"),
    [
        (message(f"a@{DOMAIN}", sender="romeo@prosody.example"), "invalid-from"),
        (message(f"a@{DOMAIN}", sender=f"alice@{DOMAIN}"), "invalid-from"),
        (message(f"a@{DOMAIN}", sender=DOMAIN), "invalid-from"),
        (message("a@elsewhere.example"), "host-unknown"),
        (message("a b@c"), "improper-addressing"),
        (f"<message to='a@{DOMAIN}'><body>a</body></message>", "improper-addressing"),
        ("<message from='m@mallory.example\0' to='a'/>", "not-well-formed"),
        ("<foo xmlns='a'/>", "unsupported-stanza-type"),
        (f"<message from='m@{MALLORY}' to='a@{DOMAIN}'><body>" + "a" * 300_000, "policy-violation"),
        ("<!-- a -->", "restricted-xml"),
    ],
)  # fmt: skip
async def test_what_it_may_not_say_ends_its_stream(place: Place, stanza: str, condition: str) -> None:
    async with mallory(place) as raw:
        await raw.say(stanza)
        assert f"<{condition} xmlns='{STREAMS}'/>" in await raw.end()
    assert place.site.server.health()[0] == 200


async def test_before_it_has_proven_anything_little_is_read(place: Place) -> None:
    async with server(place) as raw:
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        await raw.say(f"<message from='m@{MALLORY}' to='a@{DOMAIN}'><body>" + "a" * 20_000)
        assert f"<policy-violation xmlns='{STREAMS}'/>" in await raw.end()


async def test_before_it_has_proven_anything_nothing_is_taken(place: Place) -> None:
    async with server(place) as raw:
        await raw.say(HEAD)
        offered = await raw.until("</stream:features>")
        assert "EXTERNAL" not in offered
        await raw.say(message(f"a@{DOMAIN}"))
        assert f"<not-authorized xmlns='{STREAMS}'/>" in await raw.end()


async def test_a_certificate_of_another_domain_proves_nothing(place: Place) -> None:
    async with server(place, "other.example", "*.mallory.example") as raw:
        await raw.say(HEAD)
        assert "EXTERNAL" not in await raw.until("</stream:features>")
        said = b64encode(MALLORY.encode()).decode()
        await raw.say(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{said}</auth>")
        assert "<not-authorized/>" in await raw.until("</failure>")


@pytest.mark.parametrize("what", ["nobody vouches for it", "the subject alone"])
async def test_a_certificate_that_is_not_enough_proves_nothing(place: Place, tmp_path: Path, what: str) -> None:
    if what == "the subject alone":
        shown = place.authority.issue(MALLORY, alternative=False)
    else:
        shown = Authority(tmp_path).issue(MALLORY)
    async with server(place, shown=shown) as raw:
        await raw.say(HEAD)
        assert "EXTERNAL" not in await raw.until("</stream:features>")
        said = b64encode(MALLORY.encode()).decode()
        await raw.say(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{said}</auth>")
        assert "<not-authorized/>" in await raw.until("</failure>")


async def test_a_key_that_nobody_vouches_for_is_invalid(place: Place) -> None:
    async with server(place) as raw:
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        await raw.say(f"<db:result from='{MALLORY}' to='{DOMAIN}'>{'0' * 64}</db:result>")
        assert "type='invalid'" in await raw.until("/>")
        await raw.say(message(f"a@{DOMAIN}"))
        assert f"<not-authorized xmlns='{STREAMS}'/>" in await raw.end()


@pytest.mark.parametrize("claimed", [DOMAIN, f"rooms.{DOMAIN}"])
async def test_nobody_says_that_they_are_us(place: Place, claimed: str) -> None:
    async with server(place) as raw:
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        await raw.say(f"<db:result from='{claimed}' to='{DOMAIN}'>{'0' * 64}</db:result>")
        assert "stream:error" in await raw.end()


async def test_keys_are_good_for_one_stream_and_one_pair(place: Place) -> None:
    async with server(place) as raw:
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        for stolen in ("0" * 64, "", "é", key(b"guessed", MALLORY, DOMAIN, "a")):
            await raw.say(f"<db:verify from='{MALLORY}' to='{DOMAIN}' id='a'>{stolen}</db:verify>")
            assert "type='invalid'" in await raw.until("/>")


def test_a_stolen_key_is_of_no_use_elsewhere() -> None:
    made = key(b"secret", "theirs.example", "ours.example", "stream")
    assert is_right(made, b"secret", "theirs.example", "ours.example", "stream")
    for place in (
        ("other.example", "ours.example", "stream"),
        ("theirs.example", "other.example", "stream"),
        ("theirs.example", "ours.example", "another"),
        ("theirs.example1", "2ours.example", "stream"),
    ):
        assert not is_right(made, b"secret", *place)
    assert not is_right(made, b"other secret", "theirs.example", "ours.example", "stream")
    assert key(b"secret", "ab", "c", "d") != key(b"secret", "a", "bc", "d")


async def test_who_is_denied_is_told_so(place: Place) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.site.s2s_port)
    raw = Raw(place.site, reader, writer)
    await raw.say(HEAD.replace(MALLORY, "below.denied.example"))
    assert f"<policy-violation xmlns='{STREAMS}'/>" in await raw.end()
    writer.close()


async def test_a_flood_of_one_server_ends_its_stream(place: Place) -> None:
    async with mallory(place) as raw:
        await raw.say("".join(message(f"nobody@{DOMAIN}", id=f"0123456789abcdef{n}") for n in range(400)))
        assert f"<policy-violation xmlns='{STREAMS}'/>" in await raw.end()


async def test_one_address_has_so_many_connections(place: Place) -> None:
    async def connect() -> asyncio.StreamWriter | None:
        """A stream that is answered, or nothing."""
        reader, writer = await asyncio.open_connection("127.0.0.1", place.site.s2s_port)
        with contextlib.suppress(OSError):
            writer.write(HEAD.encode())
            if await reader.read(1):
                return writer
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return None

    async def one_more() -> asyncio.StreamWriter:
        async with asyncio.timeout(10):
            while (writer := await connect()) is None:
                await asyncio.sleep(0.05)
            return writer

    held = [await one_more() for _ in range(8)]
    assert await connect() is None
    gone = held.pop()
    gone.transport.abort()
    held.append(await one_more())
    for writer in held:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_a_crowd_of_one_domain_is_met_slowly(place: Place) -> None:
    (alice,) = place.site.people("alice")
    crowd = "crowd.example"
    async with client(place.site, alice.id) as a, server(place, crowd) as raw:
        await raw.say(HEAD.replace(MALLORY, crowd))
        await raw.until("</stream:features>")
        await raw.say(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{b64encode(crowd.encode()).decode()}</auth>")
        await raw.until(f"<success xmlns='{SASL}'/>")
        await raw.say(HEAD.replace(MALLORY, crowd))
        await raw.until("</stream:features>")
        for n in range(30):
            await raw.say(message(f"{alice.id}@{DOMAIN}", sender=f"m{n}@{crowd}", text=f"from {n}", id=f"0123456789abcdef{n}"))
        await raw.say(message(f"{alice.id}@{DOMAIN}", sender=f"m0@{crowd}", text="the last", id="fedcba9876543210"))
        await a.until(lambda: "the last" in a.texts)
        assert {str(one["from"].bare) for one in a.messages} == {f"m{n}@{crowd}" for n in range(20)}


async def test_who_asks_and_takes_it_back_all_the_time_is_heard_slowly(place: Place) -> None:
    """Each time something is kept, and told to every device."""
    (alice,) = place.site.people("alice")
    begun, moody = alice.cursor(), "moody.example"
    async with client(place.site, alice.id) as a, server(place, moody) as raw:
        a.auto_authorize = None  # it answers nothing
        a.send_presence(pto=f"m@{moody}", ptype="subscribe")  # a contact, not a newcomer
        await raw.say(HEAD.replace(MALLORY, moody))
        await raw.until("</stream:features>")
        await raw.say(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{b64encode(moody.encode()).decode()}</auth>")
        await raw.until(f"<success xmlns='{SASL}'/>")
        await raw.say(HEAD.replace(MALLORY, moody))
        await raw.until("</stream:features>")
        for n in range(300):
            kind = "subscribe" if n % 2 == 0 else "unsubscribe"
            await raw.say(f"<presence from='m@{moody}' to='{alice.id}@{DOMAIN}' type='{kind}'/>")
            if n >= 150:
                await asyncio.sleep(0.025)  # as fast as a server may
        await raw.say(message(f"{alice.id}@{DOMAIN}", sender=f"m@{moody}"))
        await a.has("hello")
    assert 150 < len([one for one in alice.events_after(begun) if one["type"] == "watcher"]) < 300


async def test_what_only_this_server_may_say_is_taken_out(place: Place) -> None:
    (alice,) = place.site.people("alice")
    async with client(place.site, alice.id) as a, mallory(place) as raw:
        forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{alice.id}@{DOMAIN}' id='1'/><received xmlns='urn:xmpp:carbons:2'/>"
        await raw.say(message(f"{alice.id}@{DOMAIN}").replace("</body>", f"</body>{forged}"))
        await a.has("hello")
        assert "carbons" not in str(a.messages[0])
        assert str(a.messages[0]).count("stanza-id") == 1
        assert "id='1'" not in str(a.messages[0]).replace('"', "'")


async def test_nobody_is_where_files_are_taken(place: Place) -> None:
    (alice,) = place.site.people("alice")
    nobody = f"x@upload.{DOMAIN}"
    async with client(place.site, alice.id) as a:
        a.send_message(nobody, "hello", mtype="chat")
        error = await a.until(lambda: next((one for one in a.messages if one["type"] == "error"), None))
        assert error["error"]["condition"] == "not-allowed"
    with pytest.raises(Refused, match="404"):
        alice.call("GET", f"/v1/users/{nobody}")


async def test_who_only_asks_is_nobody_whom_we_know(place: Place) -> None:
    (alice,) = place.site.people("alice")
    async with client(place.site, alice.id) as a, mallory(place) as raw:
        await raw.say(f"<iq type='get' id='p' from='passer-by@{MALLORY}/a' to='{DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>")
        await raw.say(message(f"{alice.id}@{DOMAIN}", sender=f"writer@{MALLORY}", id="known-0123456789ab"))
        await a.has("hello")
    assert alice.call("GET", f"/v1/users/writer@{MALLORY}")["id"] == f"writer@{MALLORY}"
    with pytest.raises(Refused, match="404"):
        alice.call("GET", f"/v1/users/passer-by@{MALLORY}")


async def test_what_nobody_could_say_again_ends_the_stream(place: Place) -> None:
    (alice,) = place.site.people("alice")
    async with client(place.site, alice.id) as a:
        a.send_raw(f"<message to='{alice.id}@{DOMAIN}'><xml:a/></message>")
        ended = asyncio.Event()
        a.add_event_handler("disconnected", lambda _: ended.set())
        async with asyncio.timeout(30):
            await ended.wait()  # what nobody could say again ends the stream that says it


def test_somebody_elsewhere_has_one_address() -> None:
    from hongyan.features.xmpp.circle import _address

    assert _address("romeo@montague.example", DOMAIN) == "romeo@montague.example"
    assert _address("alice", DOMAIN) == f"alice@{DOMAIN}"


def test_files_that_cannot_be_used_are_named(place: Place, tmp_path: Path) -> None:
    certificate, key = place.authority.issue("a.example")
    (tmp_path / "empty.pem").write_text("")
    for authorities in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        with pytest.raises(CertificateError, match=authorities.name):
            make_context(certificate, key, authorities)
    with pytest.raises(CertificateError, match=r"missing\.pem"):
        make_context(tmp_path / "missing.pem", key, None)


def test_a_remote_person_has_one_address_wherever_they_are_named() -> None:
    assert of_user("eve@other.example", DOMAIN) == Jid("eve", "other.example")
    assert of_user("eve", DOMAIN, "desk") == Jid("eve", DOMAIN, "desk")


async def test_keys_are_asked_about_so_often(place: Place) -> None:
    async with server(place) as raw:
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        await raw.say(f"<db:verify from='{MALLORY}' to='{DOMAIN}' id='a'>0</db:verify>" * 201)
        assert f"<policy-violation xmlns='{STREAMS}'/>" in await raw.end()


async def test_errors_of_what_nobody_has_said_come_to_nobody(place: Place) -> None:
    (alice,) = place.site.people("alice")
    async with client(place.site, alice.id) as a, mallory(place) as raw:
        error = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
        for name in ("message", "presence"):
            await raw.say(f"<{name} type='error' id='x' from='m@{MALLORY}' to='{alice.id}@{DOMAIN}'>{error}</{name}>")
        await raw.say(message(f"{alice.id}@{DOMAIN}"))
        await a.has("hello")
        assert [one["type"] for one in a.every] == ["chat"]
        assert not [one for one in a.presences if one["type"] == "error"]
