"""A status text is shown in presence, on every node, and ends by itself."""

import asyncio
from pathlib import Path

from hongyan.bus.local import LocalBus
from hongyan.core import own as owns
from hongyan.core.own import StatusText
from hongyan.messaging import now_ms
from tests.build import House, house


async def told(reader: object, user: str, text: str | None) -> None:
    async with asyncio.timeout(20):
        while True:
            mine = [signal for signal in reader.signals if signal["type"] == "presence" and signal["user"] == user]  # type: ignore[attr-defined]
            if mine and (mine[-1]["status_text"] or {}).get("text") == text:
                return
            await asyncio.sleep(0.005)


async def test_those_who_share_a_conversation_see_it_until_it_ends(home: House) -> None:
    await home.group("alice", "bob")
    bob = await home.reader("bob")
    await home.reader("alice")
    await told(bob, "alice", None)
    until = now_ms() + 700
    await home.messaging.owning.do(home.caller("alice"), owns.Status("吃饭", "🍜", until))
    await told(bob, "alice", "吃饭")
    assert [one.status_text for one in await home.messaging.presence.online() if one.id == "alice"] == [
        StatusText("吃饭", "🍜", until)
    ]
    await told(bob, "alice", None)
    assert now_ms() >= until
    assert home.messaging.statuses.of("alice") is None


async def test_it_is_known_after_a_restart_and_of_those_who_are_away(place: Path | str) -> None:
    async with house(place) as home:
        await home.add("alice", "bob")
        await home.messaging.owning.do(home.caller("alice"), owns.Status("休假"))
        await home.messaging.owning.do(home.caller("bob"), owns.Status("一会儿", until=now_ms() + 60_000))
        await home.messaging.owning.do(home.caller("bob"), owns.Status())
        await home.settled()
        assert home.messaging.statuses.of("alice") == StatusText("休假")
    async with house(place, bus=LocalBus()) as home:
        assert home.messaging.statuses.of("alice") == StatusText("休假")
        assert home.messaging.statuses.of("bob") is None
