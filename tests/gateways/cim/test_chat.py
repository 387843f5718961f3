"""People with clients of CIM and people in the web client, on one server."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from tests.gateways.cim import client
from tests.gateways.cim.client import MESSAGE, OFFLINE
from tests.gateways.cim.site import Site
from tests.serving import wait_for


def test_group_and_private_messages_between_clients(site: Site) -> None:
    ann, bob, cai = site.people(3)
    ann.group("大家好 from ann")
    for other in (bob, cai):
        found = other.wire.text("大家好 from ann")
        assert (found.command, found.id) == (MESSAGE, other.number)
        assert found.properties == {
            "sendUserId": str(ann.number),
            "sendUserName": ann.name,
            "receiveUserId": str(other.number),
            "receiveUserName": other.name,
        }
    assert bob.tell(cai.number, "just for cai") == "9000"
    assert cai.wire.text("just for cai").properties["sendUserId"] == str(bob.number)
    bob.group("the last")
    for one in (ann, cai):
        one.wire.text("the last")
    assert not {"大家好 from ann", "just for cai"} & set(ann.wire.texts()), "neither one's own nor others'"


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_client_that_writes_in_pieces(site: Site, seed: int | None) -> None:
    person, friend = site.person(), site.people(1)[0]
    person.login(random.Random(seed) if seed is not None else None)
    friend.group(f"到{seed}")
    person.wire.text(f"到{seed}")
    person.wire.ping()


def test_byte_by_byte(site: Site) -> None:
    person, friend = site.person(), site.people(1)[0]
    with site.wire() as wire:
        for byte in client.frame(client.Message(person.name, person.number)) + client.frame(
            client.Message("ping", 1, client.PING)
        ):
            wire.send_bytes(bytes([byte]))
        wire.until(lambda: wire.received)
        friend.group("逐个字节")
        wire.text("逐个字节")


def test_texts_of_other_groups_have_the_title_in_front(site: Site) -> None:
    person = site.people(1)[0]
    (web,) = site.server.people("grace")
    lane = web.group("项目组", person.name)
    web.send(lane, "开会")
    assert person.wire.text("[项目组] 开会").properties["sendUserName"] == "grace"
    web.call("PATCH", f"/v1/conversations/{lane}", {"title": "新名"})
    web.send(lane, "散会")
    person.wire.text("[新名] 散会")


def test_web_client_and_cim_client_see_and_hear_each_other(site: Site) -> None:
    (web,) = site.server.people("wang")
    with web.stream() as stream:
        person = site.person("zhang")
        lane = web.direct("zhang")
        web.send(lane, "before anybody is there")
        person.login()
        signal = stream.until(
            lambda frame: frame["op"] == "signal" and frame.get("user") == "zhang" and frame["status"] == "online"
        )
        assert [device["transport"] for device in signal["devices"]] == ["cim"]
        online = {one["id"]: one for one in web.call("GET", "/v1/online")["users"]}
        assert online["zhang"]["devices"][0]["transport"] == "cim"
        assert online["zhang"]["devices"][0]["device"] == "CIM"
        assert "wang" in person.api.online().values()
        web.send(lane, "你在吗")
        person.wire.text("你在吗")
        number = next(number for number, name in person.api.online().items() if name == "wang")
        assert person.tell(number, "在") == "9000"
        assert stream.text("在")["conversation"] == lane
        person.group("hello lobby")
        assert stream.text("hello lobby")["conversation"] == "lobby"
        web.send("lobby", "hello from the web")
        person.wire.text("hello from the web")
        site.quit(person)
        stream.until(lambda frame: _presence(frame) == ("zhang", "offline"))
        assert person.api.code("/fetchOfflineMsgs", receiveUserId=person.number) == "9100"
        person.login()
        assert person.fetch() == "9000"
        assert person.wire.text("before anybody is there", OFFLINE)


def _presence(frame: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return frame.get("user"), frame.get("status")


def test_shown_name_follows_a_change(site: Site) -> None:
    person = site.people(1)[0]
    (web,) = site.server.people("oldname")
    web.send("lobby", "first")
    assert person.wire.text("first").properties["sendUserName"] == "oldname"
    assert site.server.command("user", "rename", "oldname", "--name", "新名字").returncode == 0
    wait_for(lambda: "新名字" in {one["name"] for one in web.call("GET", "/v1/users", prefix="oldname")["users"]})
    before = site.server.metric("hongyan_log_position")
    wait_for(lambda: site.server.metric("hongyan_log_lag_events") == 0 and before >= 1)
    web.send("lobby", "second")
    assert person.wire.text("second").properties["sendUserName"] == "新名字"


def test_connection_that_is_reset_makes_room_for_the_next(site: Site) -> None:
    person = site.people(1)[0]
    person.wire.reset()
    person.login()
    wait_for(lambda: site.server.metric("hongyan_cim_connections", state="in") >= 1)
