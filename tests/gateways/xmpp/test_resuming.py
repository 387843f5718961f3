"""Stream management (XEP-0198): connections that are cut anywhere, and streams that go on over others."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways.xmpp.site import DOMAIN, Site
from tests.gateways.xmpp.wired import SM, Wired
from tests.serving import Person

MESSAGES = 200
ALL = [str(number) for number in range(MESSAGES)]
FREE = {"XMPP_ALLOW_PLAINTEXT": "true", "LIMITS_SENDS_BURST": "100000", "LIMITS_SENDS_PER_SECOND": "100000"}
FREE |= {"LIMITS_OPENS_PER_SECOND": "100000", "LIMITS_OPENS_BURST": "100000"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("plain") / "data", **FREE) as site:
        yield site


def people(site: Site) -> tuple[Person, Person]:
    alice, bob = site.people("alice", "bob")
    return alice, bob


async def exchange(alice: Wired, bob: Wired, cuts: dict[int, int], prefix: str = "a message of our own ") -> None:
    """Both write at once; at these messages Alice's connection is cut in one of several ways, and she goes on."""
    for number in range(MESSAGES):
        way = cuts.get(number)
        bob.say(alice.user, str(number), f"{prefix.replace(' ', '-')}bob-{number}")
        # In the middle of a stanza; behind it, unread by us; when the server may have handled it; when everything has come.
        alice.say(bob.user, str(number), f"{prefix.replace(' ', '-')}{number}", upto=40 if way == 0 else None)
        if way is None:
            continue
        if way == 1:
            await alice.writer.drain()
        if way == 2:
            await asyncio.sleep(0)
            await bob.until(lambda number=number: str(number) in bob.texts)
        if way == 3:
            await alice.until(lambda number=number: str(number) in alice.texts)
        await alice.cut()
        await alice.connect()
        await alice.resume()
    await alice.until(lambda: len(alice.texts) >= MESSAGES)
    await bob.until(lambda: len(bob.texts) >= MESSAGES)


def assert_once(alice: Wired, bob: Wired, person: Person) -> None:
    assert alice.texts == ALL
    assert bob.texts == ALL
    kept = person.texts(person.direct(bob.user if person.id == alice.user else alice.user))
    assert sorted(kept, key=int) == sorted(ALL * 2, key=int)


@pytest.mark.parametrize("ids", ["a message of our own ", "m "], ids=["long", "short"])
async def test_a_connection_cut_at_each_of_200_messages_loses_and_repeats_nothing(plain: Site, ids: str) -> None:
    one, other = people(plain)
    async with Wired(plain, one.id) as alice, Wired(plain, other.id) as bob:
        await exchange(alice, bob, {number: number % 4 for number in range(MESSAGES)}, ids)
        assert_once(alice, bob, one)


async def test_both_are_cut_at_each_message(plain: Site) -> None:
    one, other = people(plain)
    async with Wired(plain, one.id) as alice, Wired(plain, other.id) as bob:
        for number in range(MESSAGES):
            alice.say(bob.user, str(number), f"n{number}")
            bob.say(alice.user, str(number), f"n{number}", upto=30 if number % 2 else None)
            cut = (alice, bob) if number % 3 else (bob,)
            for client in cut:
                await client.cut()
            for client in cut:
                await client.connect()
                await client.resume()
        await alice.until(lambda: len(alice.texts) >= MESSAGES)
        await bob.until(lambda: len(bob.texts) >= MESSAGES)
        assert_once(alice, bob, one)


@pytest.mark.parametrize("way", range(4))
async def test_a_connection_cut_once(plain: Site, way: int) -> None:
    """At a tenth of the points each."""
    for point in range(way * 5, MESSAGES, 20):
        one, other = people(plain)
        async with Wired(plain, one.id) as alice, Wired(plain, other.id) as bob:
            await exchange(alice, bob, {point: way})
            assert_once(alice, bob, one)


async def test_a_stream_goes_on_while_the_old_connection_still_stands(plain: Site) -> None:
    one, other = people(plain)
    async with Wired(plain, one.id) as alice, Wired(plain, other.id) as bob:
        old = Wired(plain, one.id)
        await old.connect()
        alice.say(bob.user, "on the old one", "1")
        await bob.until(lambda: bob.texts == ["on the old one"])
        old.sent = alice.sent
        old.unacknowledged = list(alice.unacknowledged)
        old.previd, old.taken = alice.previd, alice.taken
        await old.resume()
        assert (await alice.nonza("error")).child("urn:ietf:params:xml:ns:xmpp-streams conflict") is not None
        bob.say(alice.user, "on the new one", "2")
        await old.until(lambda: old.texts[-1:] == ["on the new one"])
        await old.cut()
        await old.connect()
        await old.resume()
        old.say(bob.user, "still", "3")
        await bob.until(lambda: bob.texts == ["on the old one", "still"])
        await old.cut()


async def refused(client: Wired, previd: str, h: str) -> bool:
    client.raw(f"<resume xmlns='{SM}' previd='{previd}' h='{h}'/>")
    return (await client.nonza("failed")).child("urn:ietf:params:xml:ns:xmpp-stanzas item-not-found") is not None


async def test_nobody_else_goes_on_with_a_stream_and_no_wrong_count_does(plain: Site) -> None:
    one, other = people(plain)
    async with Wired(plain, one.id) as alice:
        await alice.cut()
        stranger = Wired(plain, other.id)
        await stranger.connect()
        assert await refused(stranger, alice.previd, "0")
        await stranger.cut()
        await alice.connect()
        for h in ("5", str(2**32 - 1), str(2**32), "-1", "", "1.0", "٣", "9" * 9_000):
            assert await refused(alice, alice.previd, h)
        assert await refused(alice, "nothing", "0")
        await alice.resume()  # all this has done it no harm


async def test_who_says_good_bye_at_once_has_said_everything(plain: Site) -> None:
    """The first message to somebody has to be looked up; it is done also for who is gone by then."""
    one, other = people(plain)
    async with Wired(plain, other.id) as bob:
        alice = Wired(plain, one.id)
        await alice.connect()
        await alice.bind()
        for number in range(20):
            alice.say(bob.user, str(number), str(number))
        alice.raw("</stream:stream>")
        await bob.until(lambda: bob.texts == ALL[:20])
        await alice.cut()
        await alice.connect()
        assert await refused(alice, alice.previd, "0")
        await alice.cut()


async def test_who_acknowledges_nothing_is_given_no_more_and_heard(plain: Site) -> None:
    one, other = people(plain)
    one.direct(other.id)
    lane = one.group("茶", other.id)
    for text in ALL[:100]:
        one.send(lane, text)
    room = f"{lane}@rooms.{DOMAIN}"
    history = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='100'/></x>"
    async with Wired(plain, one.id) as alice, Wired(plain, other.id) as bob:
        bob.silent = True
        for _ in range(25):
            bob.send(f"<presence to='{room}/me'>{history}</presence>")
        for number in range(1_100):  # more than may be under way
            bob.send(f"<iq type='get' id='ping {number}'><ping xmlns='urn:xmpp:ping'/></iq>")
        await bob.until(lambda: len(bob.came) >= 1_000)
        alice.send("<presence><show>away</show></presence>")
        bob.silent = False
        bob.raw(f"<a xmlns='{SM}' h='{bob.taken}'/>")
        await bob.stanza(lambda came: came.get("id") == "ping 1099")
        await bob.stanza(lambda came: came.get("from").startswith(alice.jid) and came.said("jabber:client show") == "away")
        assert bob.texts == ALL[:100] * 25


async def test_many_questions_at_once_are_answered_as_answers_are_acknowledged(plain: Site) -> None:
    one, _ = people(plain)
    async with Wired(plain, one.id) as alice:
        for number in range(5_000):
            alice.send(f"<iq type='get' id='ping {number}'><ping xmlns='urn:xmpp:ping'/></iq>")
        await alice.stanza(lambda came: came.get("id") == "ping 4999")
        answers = [came.get("id") for came in alice.came if came.get("id").startswith("ping")]
        assert answers == [f"ping {number}" for number in range(5_000)]


async def test_only_what_is_durable_is_counted_and_the_archive_fills_the_gap(tmp_path: Path) -> None:
    """kill -9 while messages are on their way."""
    with Site(tmp_path / "data", **FREE) as site:
        one, other = people(site)
        async with Wired(site, one.id) as alice, Wired(site, other.id) as bob:
            for number in range(MESSAGES):
                alice.say(bob.user, str(number), f"kept-for-the-gap-{number}")
                alice.raw(f"<r xmlns='{SM}'/>")
            await bob.until(lambda: len(bob.texts) > 20)
            site.server.kill()
            counted = MESSAGES + 1 - len(alice.unacknowledged) - 1  # the first stanza was its presence
            seen = len(bob.texts)
            ids = [id for came in bob.came if (id := came.child("urn:xmpp:sid:0 stanza-id")) is not None]  # presence has none
            last = ids[-1]
            site.server.start()
            await bob.cut()
            await bob.connect()
            assert await refused(bob, bob.previd, str(bob.taken))
            await bob.bind()
            query = f"<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><after>{last.get('id')}</after></set></query>"
            bob.send(f"<iq type='set' id='gap' to='{other.id}@{DOMAIN}'>{query}</iq>")
            await bob.stanza(lambda found: found.get("id") == "gap")
            results = [found for found in bob.came if found.child("urn:xmpp:mam:2 result") is not None]
            kept = one.texts(one.direct(other.id))
            assert kept == ALL[: len(kept)]
            assert len(kept) >= counted
            assert len(results) == min(len(kept) - seen, 50)
