"""What is true now, between people who are on different nodes: presence, who is online, typing, read marks."""

from typing import Any

from tests.e2e.devices import Crowd, Device
from tests.serving import Person, Server, wait_for


def presences(device: Device, user: str) -> list[str]:
    """The statuses that it was told, in order."""
    return [signal["status"] for signal in device.signals if signal["type"] == "presence" and signal["user"] == user]


def online(person: Person) -> dict[str, Any]:
    """Whom this person's node shows, by id."""
    return {user["id"]: user for user in person.call("GET", "/v1/online")["users"]}


async def test_coming_saying_and_going_are_told_to_readers_on_the_other_node(
    one: Server, other: Server, on_one: Crowd, on_other: Crowd
) -> None:
    ann, bob = one.people("ann", "bob")
    ann.direct("bob")
    reader = await on_other.device(bob, "json")
    device = await on_one.device(ann, "msgpack")
    await reader.until(lambda: presences(reader, "ann")[-1:] == ["online"])
    await on_one.call(ann, "PUT", "/v1/presence", {"status": "busy", "text": "开会"})
    await reader.until(lambda: presences(reader, "ann")[-1:] == ["busy"])
    assert reader.signals[-1]["text"] == "开会"
    await device.disconnect()
    await reader.until(lambda: presences(reader, "ann")[-1:] == ["offline"])
    assert [told for told, before in zip(presences(reader, "ann"), [None, *presences(reader, "ann")], strict=False)] == [
        "online",
        "busy",
        "offline",
    ]


async def test_both_nodes_show_everybody_who_is_online_with_all_devices(
    one: Server, other: Server, on_one: Crowd, on_other: Crowd
) -> None:
    cai, dan = one.people("cai", "dan")
    cai_there = other.login("cai", device="phone")
    dan_there = other.login("dan")
    first = await on_one.device(cai, "json")
    second = await on_other.device(cai_there, "sse")
    await on_other.device(dan_there, "msgpack")

    def shown(person: Person) -> Any:
        return sorted((device["device"], device["transport"]) for device in online(person).get("cai", {}).get("devices", ()))

    both = [("phone", "sse"), ("test", "websocket")]
    for person in (dan, dan_there):
        wait_for(lambda person=person: shown(person) == both and "dan" in online(person), what="both devices")  # type: ignore[misc]
    await first.disconnect()
    for person in (dan, dan_there):
        wait_for(lambda person=person: shown(person) == both[:1], what="the phone alone")  # type: ignore[misc]
    await second.disconnect()
    for person in (dan, dan_there):
        wait_for(lambda person=person: "cai" not in online(person), what="nobody")  # type: ignore[misc]


async def test_who_goes_from_one_node_to_the_other_is_never_offline(on_one: Crowd, on_other: Crowd, one: Server) -> None:
    eve, fay = one.people("eve", "fay")
    eve.direct("fay")
    reader = await on_one.device(fay, "json")
    device = await on_one.device(eve, "json")
    await reader.until(lambda: presences(reader, "eve") == ["online"])
    await device.disconnect()
    again = await on_other.device(eve, "json", device.cursor)
    await reader.until(lambda: [one["devices"] for one in reader.signals if one.get("user") == "eve"][-1] != [], 5)
    await again.disconnect()
    await reader.until(lambda: presences(reader, "eve")[-1] == "offline")
    assert presences(reader, "eve").count("offline") == 1


async def test_typing_and_read_marks_cross(one: Server, on_one: Crowd, on_other: Crowd) -> None:
    gus, hal = one.people("gus", "hal")
    lane = gus.direct("hal")
    sent = gus.send(lane, "在吗")
    reader = await on_other.device(gus, "json", gus.cursor())
    twin = await on_other.device(hal, "json", hal.cursor())
    await on_one.call(hal, "POST", f"/v1/conversations/{lane}/typing", {"typing": True})
    await on_one.call(hal, "POST", f"/v1/conversations/{lane}/read", {"seq": sent["seq"]})
    await reader.until(lambda: {"typing", "read"} <= {signal["type"] for signal in reader.signals})
    read = next(signal for signal in reader.signals if signal["type"] == "read")
    assert (read["user"], read["conversation"], read["seq"]) == ("hal", lane, sent["seq"])
    assert not [signal for signal in twin.signals if signal["type"] == "typing"], "not to oneself"
