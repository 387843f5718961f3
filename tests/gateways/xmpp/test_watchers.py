"""People of Prosody who ask to see somebody here, who answers by REST: what an XMPP client would have answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hongyan.client import Client as Sdk
from hongyan.client.model import Watcher
from hongyan.core.errors import NotFound
from tests.conftest import MakeShared
from tests.gateways.xmpp.client import Client, client, neighbour
from tests.gateways.xmpp.neighbours import Neighbours, neighbours
from tests.gateways.xmpp.site import DOMAIN, SECONDS
from tests.serving import PASSWORD, Person, Refused, Stream, wait_for

PATH = "/v1/me/watchers"


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("near"), "prosody", XMPP_S2S_DIALBACK="false") as both:
        yield both


@contextlib.asynccontextmanager
async def asking(near: Neighbours, who: str, whom: str) -> AsyncIterator[Client]:
    """Somebody of theirs, who asks to see somebody of ours."""
    async with neighbour(near, who) as one:
        one.auto_authorize = None  # type: ignore[assignment]
        await one.get_roster()
        one.send_presence_subscription(f"{whom}@{DOMAIN}", ptype="subscribe")
        yield one


def came(one: Client, user: str, type: str) -> list[Any]:
    return [presence for presence in one.presences if presence["from"].bare == f"{user}@{DOMAIN}" and presence["type"] == type]


async def listed(person: Person, *who: tuple[str, str]) -> None:
    """Until these are all that are listed."""
    wanted = [{"id": id, "state": state} for id, state in who]
    async with asyncio.timeout(SECONDS):
        while (await asyncio.to_thread(person.call, "GET", PATH))["watchers"] != wanted:
            await asyncio.sleep(0.05)


async def told(stream: Stream, id: str, **state: str) -> None:
    await asyncio.to_thread(stream.event, type="watcher", content={"id": id, **state})


async def test_who_asks_is_told_of_allowed_and_sees(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    theirs = f"romeo@{near.other.domain}"
    with alice.stream() as page:
        async with asking(near, "romeo", alice.id) as romeo:
            await told(page, theirs, state="asks")
            assert not came(romeo, alice.id, "available")
            await listed(alice, (theirs, "asks"))
            await asyncio.to_thread(alice.call, "PUT", f"{PATH}/{theirs}")
            await romeo.until(lambda: came(romeo, alice.id, "subscribed"))
            assert romeo.client_roster[f"{alice.id}@{DOMAIN}"]["subscription"] in ("to", "both")
            await romeo.until(lambda: came(romeo, alice.id, "available"))
            page.say("presence", status="dnd", text="开会")
            busy = await romeo.until(lambda: came(romeo, alice.id, "dnd"))
            assert busy[-1]["status"] == "开会"
            await told(page, theirs, state="sees")
            await listed(alice, (theirs, "sees"))

            await asyncio.to_thread(alice.call, "DELETE", f"{PATH}/{theirs}")
            await romeo.until(lambda: came(romeo, alice.id, "unsubscribed"))
            await romeo.until(lambda: came(romeo, alice.id, "unavailable"))
            await told(page, theirs)
            await listed(alice)


async def test_who_is_refused_sees_nothing_and_may_ask_again(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    theirs = f"mercutio@{near.other.domain}"
    with alice.stream():
        async with asking(near, "mercutio", alice.id) as mercutio:
            await listed(alice, (theirs, "asks"))
            await asyncio.to_thread(alice.call, "DELETE", f"{PATH}/{theirs}")
            await mercutio.until(lambda: came(mercutio, alice.id, "unsubscribed"))
            await listed(alice)
            assert not came(mercutio, alice.id, "available")
            mercutio.send_presence_subscription(f"{alice.id}@{DOMAIN}", ptype="subscribe")
            await listed(alice, (theirs, "asks"))
            mercutio.send_presence_subscription(f"{alice.id}@{DOMAIN}", ptype="unsubscribe")  # who thinks better of it
            await listed(alice)
            with pytest.raises(Refused, match="404"):
                alice.call("PUT", f"{PATH}/{theirs}")


async def test_what_was_away_sees_it_at_the_start(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    theirs, cursor = f"romeo@{near.other.domain}", alice.cursor()
    async with asking(near, "romeo", alice.id):
        await listed(alice, (theirs, "asks"))
    assert [one["content"] for one in alice.events_after(cursor) if one["type"] == "watcher"] == [{"id": theirs, "state": "asks"}]


async def test_the_sdk_lists_follows_and_answers(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    theirs = f"romeo@{near.other.domain}"
    async with Sdk(near.site.server.url) as sdk:
        await sdk.login(alice.id, PASSWORD, "sdk")
        await sdk.start()
        known = [await sdk.watchers()]
        sdk.on("watcher", lambda event: known.append(known[-1].after(event)))

        async def now(*who: Watcher) -> None:
            async with asyncio.timeout(SECONDS):
                while known[-1].watchers != list(who):
                    await asyncio.sleep(0.02)
            assert (await sdk.watchers()).watchers == list(who)

        async with asking(near, "romeo", alice.id) as romeo:
            await now(Watcher(theirs, "asks"))
            assert known[-1].asking == [theirs]
            await sdk.allow_watcher(theirs)
            await romeo.until(lambda: came(romeo, alice.id, "available"))
            await now(Watcher(theirs, "sees"))
            await sdk.refuse_watcher(theirs)
            await sdk.refuse_watcher(theirs)
            await romeo.until(lambda: came(romeo, alice.id, "unavailable"))
            await now()
            with pytest.raises(NotFound):
                await sdk.allow_watcher(theirs)


async def test_ones_own_clients_learn_of_the_answer(near: Neighbours) -> None:
    """And what a client answers is seen through the other doors."""
    (alice,) = near.site.people("alice")
    theirs = f"romeo@{near.other.domain}"
    async with client(near.site, alice.id) as a, asking(near, "romeo", alice.id) as romeo:
        a.auto_authorize = None  # type: ignore[assignment]
        await a.get_roster()
        await a.until(lambda: [one for one in a.presences if one["type"] == "subscribe"])
        await asyncio.to_thread(alice.call, "PUT", f"{PATH}/Romeo@{near.other.domain.upper()}")  # an address as somebody types it
        await romeo.until(lambda: came(romeo, alice.id, "subscribed"))
        await a.until(lambda: a.client_roster.has_jid(theirs) and a.client_roster[theirs]["subscription"] == "from")
        await romeo.until(lambda: [one for one in came(romeo, alice.id, "available") if one["from"].resource == "desk"])
        with alice.stream() as page:
            a.send_presence_subscription(theirs, ptype="unsubscribed")
            await romeo.until(lambda: came(romeo, alice.id, "unsubscribed"))
            await told(page, theirs)
        await a.until(lambda: a.client_roster[theirs]["subscription"] == "none")


async def test_answers_have_a_rate_and_need_an_address(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    for wrong in ("@", "romeo@not a domain", f"{'a' * 2_000}@x.example"):
        with pytest.raises(Refused, match="400"):
            alice.call("PUT", f"{PATH}/{wrong}")
    with pytest.raises(Refused, match="404"):
        alice.call("PUT", f"{PATH}/{alice.id}@{DOMAIN}")

    def many() -> int:
        for _ in range(400):
            try:
                alice.call("DELETE", f"{PATH}/nobody@{near.other.domain}")
            except Refused as refused:
                return refused.status
        return 0

    assert await asyncio.to_thread(many) == 429


async def test_any_node_hears_and_answers(make_shared: MakeShared, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Prosody knows one of them only; the person is at the other one."""
    with make_shared() as shared, neighbours(tmp_path_factory.mktemp("pair"), "prosody", shared=shared) as near:
        assert near.twin is not None
        wait_for(lambda: all(one.server.metric("hongyan_nodes") == 2 for one in (near.site, near.twin)), what="the nodes")
        (alice,) = near.twin.people("alice")
        theirs = f"romeo@{near.other.domain}"
        with alice.stream() as page:
            async with asking(near, "romeo", alice.id) as romeo:
                await told(page, theirs, state="asks")
                await asyncio.to_thread(alice.call, "PUT", f"{PATH}/{theirs}")
                await romeo.until(lambda: came(romeo, alice.id, "subscribed"))
                await romeo.until(lambda: came(romeo, alice.id, "available"))
