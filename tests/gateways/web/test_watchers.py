"""People of other servers who ask to see somebody, by REST. That it goes there: tests/gateways/xmpp/test_watchers.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hongyan.config.settings import Xmpp
from hongyan.core.errors import Conflict, Invalid
from hongyan.features.xmpp import Watchers
from hongyan.features.xmpp.subscriptions import Subscriptions
from tests.gateways.web.webhouse import WebHouse, problem, settings, web_house

ROMEO = "romeo@other.example"
PATH = "/v1/me/watchers"


class Door:
    """Bob's. Answers are kept as a client of XMPP would have them kept."""

    def __init__(self, web: WebHouse) -> None:
        self.web = web
        self.kept = Subscriptions(web.home.store, web.home.messaging.log, clock=lambda: 1)
        self.watchers: Watchers = web.watchers
        self.watchers.through(self._answer)

    async def _answer(self, user: str, address: str, kind: str) -> bool:
        if "@" not in address:
            raise Invalid("A part of an address is empty")
        if address == "crowd@other.example":
            raise Conflict("An account may know so many")
        allows = kind == "subscribed"
        _, now = await self.kept.change(
            user, address, lambda now: replace(now, seen=allows and (now.asked or now.seen), asked=False)
        )
        return now.seen

    async def asks(self) -> None:
        await self.kept.change("bob", ROMEO, lambda now: replace(now, asked=True))

    async def listed(self, user: str = "bob") -> list[dict[str, str]]:
        answer = await self.web.call(user, "GET", PATH)
        assert answer.status_code == 200
        found: list[dict[str, str]] = answer.json()["watchers"]
        return found

    async def status(self, method: str, who: str = ROMEO) -> int:
        return (await self.web.call("bob", method, f"{PATH}/{who}")).status_code


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with web_house(tmp_path / "db", replace(settings(), xmpp=Xmpp(s2s="127.0.0.1:0"))) as web:
        yield Door(web)


async def test_who_asks_is_listed_allowed_and_sent_away_again(door: Door) -> None:
    before = (await door.web.call("bob", "GET", PATH)).json()["cursor"]
    await door.asks()
    assert await door.listed() == [{"id": ROMEO, "state": "asks"}]
    assert await door.listed("alice") == []
    assert await door.status("PUT") == 204
    assert await door.status("PUT") == 204  # it is so already
    assert await door.listed() == [{"id": ROMEO, "state": "sees"}]
    assert await door.status("DELETE") == 204
    assert await door.listed() == []
    assert await door.status("DELETE") == 204
    events = (await door.web.call("bob", "GET", f"/v1/events?after={before}")).json()["events"]
    told = [(one["conversation"], one["content"]) for one in events if one["type"] == "watcher"]
    states: list[dict[str, str]] = [{"state": "asks"}, {"state": "sees"}, {}]
    assert told == [("user:bob", {"id": ROMEO, **state}) for state in states]


async def test_who_is_refused_may_ask_again(door: Door) -> None:
    await door.asks()
    assert await door.status("DELETE") == 204
    assert await door.listed() == []
    await door.asks()
    assert await door.listed() == [{"id": ROMEO, "state": "asks"}]


async def test_refusals_are_typed(door: Door) -> None:
    state = await door.web.state()
    for who, status, code in ((ROMEO, 404, "not-found"), ("romeo", 400, "invalid"), ("crowd@other.example", 409, "conflict")):
        problem(await door.web.call("bob", "PUT", f"{PATH}/{who}"), status, code)
    problem(await door.web.call(None, "GET", PATH), 401, "not-authenticated")
    assert await door.web.state() == state


async def test_without_other_servers_there_is_nobody(web: WebHouse) -> None:
    assert (await web.call("bob", "GET", PATH)).json()["watchers"] == []
    for method in ("PUT", "DELETE"):
        problem(await web.call("bob", method, f"{PATH}/{ROMEO}"), 404, "not-found")
