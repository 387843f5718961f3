import asyncio
from typing import Any

import msgspec
import pytest

from hongyan.core.errors import NotFound
from tests.build import House, Reader


async def signals(reader: Reader, type: str, count: int = 1) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(found := [signal for signal in reader.signals if signal["type"] == type]) < count:
            await asyncio.sleep(0.01)
    return found


async def test_typing_reaches_the_others_and_not_oneself(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    mine, other, stranger = [await home.reader(user) for user in ("alice", "bob", "dave")]
    await home.messaging.presence.typing(home.caller("alice"), group, True)
    body = {"type": "typing", "conversation": group, "user": "alice", "typing": True}
    assert await signals(other, "typing") == [body]
    assert [signal for reader in (mine, stranger) for signal in reader.signals if signal["type"] == "typing"] == []


async def test_typing_elsewhere_is_refused(home: House) -> None:
    group = await home.group("alice", "bob")
    with pytest.raises(NotFound):
        await home.messaging.presence.typing(home.caller("dave"), group, True)


async def test_coming_and_going_is_told_to_those_who_share_a_conversation(home: House) -> None:
    watcher = await home.reader("alice")
    bob = await home.reader("bob")
    told = [signal for signal in await signals(watcher, "presence") if signal["user"] == "bob"]
    assert (told[0]["status"], told[0]["devices"][0]["transport"]) == ("online", "websocket")
    await bob.disconnect()
    async with asyncio.timeout(10):
        while watcher.signals[-1]["status"] != "offline":
            await asyncio.sleep(0.01)
    assert watcher.signals[-1]["user"] == "bob"


async def test_reconnect_is_not_news(home: House) -> None:
    watcher = await home.reader("alice")
    bob = await home.reader("bob")
    await signals(watcher, "presence")
    for _ in range(3):
        await bob.disconnect()
        await bob.connect()
    await asyncio.sleep(0.3)
    assert "offline" not in {signal["status"] for signal in watcher.signals}


async def test_tokens_are_shown_to_nobody(home: House) -> None:
    watcher = await home.reader("alice")
    bob = home.caller("bob")
    session = await home.messaging.sessions.open(bob, "sse", None, lambda: None, lambda verdict: None)
    await signals(watcher, "presence")
    shown = msgspec.json.encode([watcher.signals, await home.messaging.presence.online()])
    assert home.messaging.attendance.devices_of("bob")[0].token_id == bob.token_id
    assert b'"bob"' in shown
    assert bob.token_id.encode() not in shown
    session.close()


async def test_online_list_has_devices_with_their_transports(home: House) -> None:
    await home.reader("alice")
    await home.reader("bob", transport="sse")
    await home.messaging.poll(home.caller("carol", "phone"), None, 10)
    online = {one.id: one for one in await home.messaging.presence.online()}
    assert {id: [device.transport for device in one.devices] for id, one in online.items()} == {
        "alice": ["websocket"],
        "bob": ["sse"],
        "carol": ["poll"],
    }
    assert online["carol"].devices[0].device == "phone"


async def test_status_of_a_device_is_told_and_listed(home: House) -> None:
    watcher = await home.reader("alice")
    await home.reader("bob")
    await signals(watcher, "presence")
    home.messaging.presence.set_status(home.caller("bob"), "busy", "开会")
    async with asyncio.timeout(5):
        while watcher.signals[-1]["status"] != "busy":
            await asyncio.sleep(0.01)
    assert watcher.signals[-1]["text"] == "开会"
    online = {one.id: one for one in await home.messaging.presence.online()}
    assert (online["bob"].status, online["bob"].text) == ("busy", "开会")


async def test_ended_token_takes_a_polling_device_offline(home: House) -> None:
    await home.messaging.poll(home.caller("carol"), None, 10)
    home.messaging.end_token("carol", "carol-laptop")
    assert await home.messaging.presence.online() == []
