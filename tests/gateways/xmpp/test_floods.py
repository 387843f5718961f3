"""Those who send much, and those who take little: neither costs others anything, nor the server more than is bounded."""

import asyncio
from pathlib import Path

from tests.gateways.xmpp.raw import Raw, connected, logged_in
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site

PING = "<iq type='get' id='{}'><ping xmlns='urn:xmpp:ping'/></iq>"


async def synced(raw: Raw, id: str) -> str:
    """Everything that was sent to it before."""
    await raw.say(PING.format(id))
    return await raw.until(f"<iq type='result' id='{id}' ")


async def test_who_takes_nothing_is_passed_on_nothing_more(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with logged_in(site, alice.id, "a") as a, logged_in(site, bob.id, "b") as b:
        await b.say("<presence/>")
        await synced(b, "there")
        to, large = f"{bob.id}@{DOMAIN}/b", "x" * 100_000
        said = ""
        async with asyncio.timeout(SECONDS):
            for number in range(1_000):  # b does not read
                await a.say(f"<iq type='get' to='{to}' id='n{number}'><a xmlns='urn:example:a'>{large}</a></iq>")
                await a.say(f"<message to='{to}' id='m{number}'><a xmlns='urn:example:a'>{large}</a></message>")
                await a.say(f"<presence to='{to}'><status>{large}</status></presence>")
                said += await synced(a, f"s{number}")
                if f"id='n{number}'" in said:
                    break
        assert "<error type='wait'><resource-constraint " in said
        seen = await synced(b, "end")
        assert f"id='n{number - 1}'" in seen
        assert f"id='n{number}'" not in seen
        await a.say(f"<iq type='get' to='{to}' id='again'><a xmlns='urn:example:a'/></iq>")
        await b.until("id='again'")


async def test_stanzas_of_one_user_have_a_rate(tmp_path: Path) -> None:
    narrow = {"LIMITS_SENDS_PER_SECOND": "0.1", "LIMITS_SENDS_BURST": "5", "LIMITS_REQUESTS_PER_SECOND": "0.1"}
    with Site(tmp_path / "data", LIMITS_REQUESTS_BURST="30", **narrow) as site:
        (alice,) = site.people("alice")
        async with connected(site) as one, connected(site) as other:
            await one.log_in(alice.id, "one")
            await other.log_in(alice.id, "other")
            for number in range(35):
                await (one if number % 2 else other).say(PING.format(f"p{number}"))
            await one.until("id='p33'")
            await other.until("id='p34'")
            await one.say(PING.format("over"))
            assert "<error type='wait'><policy-violation " in await one.until("</iq>") + await one.until("</error></iq>")
