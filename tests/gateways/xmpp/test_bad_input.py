"""What hostile clients send: each gets the error of the RFC, and the server goes on."""

import asyncio
import contextlib

import pytest

from tests.gateways.xmpp.raw import BIND, HEAD, STARTTLS, connected, logged_in, plain
from tests.gateways.xmpp.site import DOMAIN, Site

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


def stream(**changed: str) -> str:
    head = {"to": DOMAIN, "version": "1.0", "xmlns": "jabber:client", "xmlns:stream": "http://etherx.jabber.org/streams"}
    said = "".join(f" {name}='{value}'" for name, value in {**head, **changed}.items() if value)
    return f"<stream:stream{said}>"


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        ("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a '" + "a" * 50 + "'>]>", "restricted-xml"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "not-well-formed"),
        ("\0" * 100, "not-well-formed"),
        ("<message xmlns='jabber:client'/>", "invalid-namespace"),
        ("<stream xmlns='http://etherx.jabber.org/streams' to='hongyan.example'>", "unsupported-version"),
        ("<a:stream to='hongyan.example'>", "not-well-formed"),
        (stream(version=""), "unsupported-version"),
        (stream(to="elsewhere.test"), "host-unknown"),
        (stream(to=""), "host-unknown"),
        (stream(to="a b"), "host-unknown"),
        (stream(**{"xmlns:stream": "urn:a"}), "invalid-namespace"),
        (HEAD + "<message to='a'><body>in</body></message>", "not-authorized"),
        (HEAD + "<iq type='get' id='a'><query xmlns='jabber:iq:roster'/></iq>", "not-authorized"),
        (HEAD + BIND.format("a"), "not-authorized"),
        (HEAD + "<enable xmlns='urn:xmpp:sm:3'/>", "not-authorized"),
        (HEAD + "<resume xmlns='urn:xmpp:sm:3' previd='a' h='0'/>", "not-authorized"),
        (HEAD + f"<response xmlns='{SASL}'>AAAA</response>", "not-authorized"),
        (HEAD + "<message>" + "<a>" * 200, "policy-violation"),
        (HEAD + "<message><body>" + "a" * 20_000, "policy-violation"),
        (HEAD + "<message/><!-- -->", "not-authorized"),
    ],
)  # fmt: skip
async def test_before_the_log_in(site: Site, data: str, condition: str) -> None:
    async with connected(site) as raw:
        await raw.say(data)
        assert f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" in await raw.end()
    assert site.server.health()[0] == 200


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        ("<message><body>" + "a" * 300_000, "policy-violation"),
        ("<message from='mallory@hongyan.example'><body>a</body></message>", "invalid-from"),
        ("<iq type='get' id='a' from='hongyan.example'><ping xmlns='urn:xmpp:ping'/></iq>", "invalid-from"),
        ("<presence from='@'/>", "invalid-from"),
        ("<foo xmlns='urn:a'/>", "unsupported-stanza-type"),
        ("<message xmlns='jabber:server'/>", "unsupported-stanza-type"),
        ("<message>&undefined;</message>", "not-well-formed"),
        (HEAD, "not-well-formed"),
        (stream(), "bad-format"),
        ("</stream:stream><message/>", ""),
    ],
)  # fmt: skip
async def test_after_the_log_in(site: Site, data: str, condition: str) -> None:
    (alice,) = site.people("alice")
    async with logged_in(site, alice.id) as raw:
        await raw.say(data)
        told = await raw.end()
        assert (f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" if condition else "</stream:stream>") in told
    assert site.server.health()[0] == 200


@pytest.mark.parametrize(
    ("stanza", "condition"),
    [
        ("<message to='a b@c' id='x'><body>a</body></message>", "jid-malformed"),
        ("<message to='a@' id='x'><body>a</body></message>", "jid-malformed"),
        (f"<message to='nobody@{DOMAIN}' id='x'><body>a</body></message>", "service-unavailable"),
        ("<message id='x'><body>a</body></message>", "bad-request"),
        ("<message to='a@elsewhere.test' id='x'><body>a</body></message>", "remote-server-not-found"),
        ("<iq type='get' id='x'/>", "bad-request"),
        ("<iq type='get' id='x'><a xmlns='b'/><a xmlns='b'/></iq>", "bad-request"),
        ("<iq type='what' id='x'><a xmlns='b'/></iq>", "bad-request"),
        ("<iq type='get' id='x'><a xmlns='b'/></iq>", "service-unavailable"),
        (f"<iq type='get' id='x' to='nobody@{DOMAIN}/a'><a xmlns='b'/></iq>", "service-unavailable"),
        ("<presence id='x'><priority>many</priority></presence>", "bad-request"),
        ("<presence id='x'><priority>999</priority></presence>", "bad-request"),
    ],
)  # fmt: skip
async def test_stanzas_that_are_answered_with_an_error(site: Site, stanza: str, condition: str) -> None:
    (alice,) = site.people("alice")
    async with logged_in(site, alice.id) as raw:
        await raw.say(stanza)
        told = await raw.until("</error>")
        assert "type='error'" in told
        assert "id='x'" in told
        assert f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" in told
        await raw.say("<iq type='get' id='still'><ping xmlns='urn:xmpp:ping'/></iq>")
        await raw.until("id='still'")


async def test_what_stands_behind_starttls_in_the_clear_is_not_heard(site: Site) -> None:
    (alice,) = site.people("alice")
    async with connected(site) as raw:
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        await raw.say(STARTTLS + HEAD + f"<auth xmlns='{SASL}' mechanism='PLAIN'>{plain(alice.id)}</auth>")
        told = await raw.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        with contextlib.suppress(OSError):  # the rest may have come behind `proceed`: then the connection is cut
            await raw.encrypt(site.trust)
            await raw.say(HEAD)
            assert "<mechanisms" in await raw.until("</stream:features>")
        assert "success" not in told + raw.seen


async def test_without_tls_nobody_logs_in(site: Site) -> None:
    (alice,) = site.people("alice")
    async with connected(site) as raw:
        await raw.say(HEAD)
        offered = await raw.until("</stream:features>")
        assert "<required/>" in offered
        assert "PLAIN" not in offered
        assert "mechanism" not in offered
        await raw.say(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{plain(alice.id)}</auth>")
        assert "<encryption-required/>" in await raw.until("</failure>")


async def test_who_guesses_too_often_is_sent_away(site: Site) -> None:
    (alice,) = site.people("alice")
    async with connected(site) as raw:
        await raw.start_tls()
        await raw.say(HEAD)
        await raw.until("</stream:features>")
        for _ in range(5):  # as many as mechanisms are offered, and clients try them all
            await raw.say(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{plain(alice.id, 'wrong')}</auth>")
            assert "<not-authorized/>" in await raw.until("</failure>")
        assert "policy-violation" in await raw.end()


async def test_who_does_not_log_in_is_cut(site: Site, own: Site) -> None:
    async with connected(own) as raw:
        assert "connection-timeout" in await raw.end()


async def test_another_stream_takes_the_resource(site: Site) -> None:
    (alice,) = site.people("alice")
    async with logged_in(site, alice.id, "one") as older, logged_in(site, alice.id, "one") as newer:
        assert "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" in await older.end()
        await newer.say("<iq type='get' id='a'><ping xmlns='urn:xmpp:ping'/></iq>")
        await newer.until("id='a'")


async def test_a_token_that_ends_ends_its_stream(site: Site) -> None:
    (alice,) = site.people("alice")
    async with logged_in(site, alice.id, "one") as raw:
        tokens = alice.call("GET", "/v1/tokens")["tokens"]
        (mine,) = [token for token in tokens if token["name"] == "XMPP one"]
        alice.call("DELETE", f"/v1/tokens/{mine['id']}")
        assert "not-authorized" in await raw.end()


async def test_who_is_there_when_the_server_stops_is_told_and_logged_out(own: Site) -> None:
    people = own.people(*(f"alice{number}" for number in range(5)))
    async with contextlib.AsyncExitStack() as there:
        streams = [await there.enter_async_context(logged_in(own, one.id)) for one in people]
        assert await asyncio.to_thread(own.server.stop) == 0
        for stream in streams:
            assert "<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" in await stream.end()
    own.server.start()
    for one in people:
        assert [token["name"] for token in one.call("GET", "/v1/tokens")["tokens"]] == ["test"]


async def test_who_leaves_is_logged_out(site: Site) -> None:
    (alice,) = site.people("alice")
    async with logged_in(site, alice.id, "one") as raw:
        await raw.say("</stream:stream>")
        await raw.end()
    async with asyncio.timeout(30):
        while [token for token in alice.call("GET", "/v1/tokens")["tokens"] if token["name"] == "XMPP one"]:
            await asyncio.sleep(0.02)
