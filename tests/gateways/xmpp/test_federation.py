"""People of our server, and of Prosody's and ejabberd's."""

import asyncio
from collections.abc import Iterator
from typing import get_args

import pytest

from tests.gateways.xmpp.client import client, neighbour
from tests.gateways.xmpp.neighbours import Kind, Neighbours, neighbours
from tests.gateways.xmpp.site import DOMAIN
from tests.serving import Refused


@pytest.fixture(scope="module", params=get_args(Kind))
def near(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("near"), request.param) as both:
        yield both


async def test_two_people_of_two_servers_write_to_each_other(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        a.send_message(f"romeo@{near.other.domain}", "你好", mtype="chat")
        await romeo.has("你好")
        assert romeo.messages[0]["from"].bare == f"{alice.id}@{DOMAIN}"
        romeo.send_message(f"{alice.id}@{DOMAIN}", "Wherefore?", mtype="chat")
        await a.has("Wherefore?")
    assert alice.texts(alice.direct(f"romeo@{near.other.domain}")) == ["你好", "Wherefore?"]


async def test_a_client_of_ours_takes_part_in_a_room_there(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    room = f"verona{alice.id}@rooms.{near.other.domain}"
    async with neighbour(near, "romeo", plugins=("xep_0045",)) as romeo, client(near.site, alice.id, plugins=("xep_0045",)) as a:
        await romeo.plugin["xep_0045"].join_muc_wait(room, "romeo", timeout=30)
        await a.plugin["xep_0045"].join_muc_wait(room, "alice", timeout=30)
        a.send_message(room, "大家好", mtype="groupchat")
        await romeo.until(lambda: "大家好" in romeo.texts)
        romeo.send_message(room, "Welcome", mtype="groupchat")
        await a.until(lambda: "Welcome" in a.texts)
        assert a.texts[-2:] == ["大家好", "Welcome"]
    assert room not in [member["id"] for member in alice.call("GET", "/v1/users")["users"]]


async def test_what_cannot_be_delivered_comes_back(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a:
        a.send_message(f"nobody@{near.other.domain}", "在吗", mtype="chat")
        error = await a.error()
        assert error["from"].bare == f"nobody@{near.other.domain}"


async def test_a_message_to_a_server_that_is_not_there_comes_back(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a:
        a.send_message("romeo@nowhere.example", "在吗", mtype="chat")
        error = await a.error()
        assert error["from"].bare == "romeo@nowhere.example"
    assert alice.texts(alice.direct("romeo@nowhere.example")) == ["在吗"]


async def test_a_server_that_is_not_there_is_told(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a:
        a.send_raw("<iq type='get' id='far' to='nowhere.example'><ping xmlns='urn:xmpp:ping'/></iq>")
        told = await a.until(lambda: a.answers.get("far"))
        assert told["error"]["condition"] in ("remote-server-not-found", "remote-server-timeout")


async def test_a_query_goes_there_and_its_answer_comes_back(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id, plugins=("xep_0030",)) as a:
        info = await a.plugin["xep_0030"].get_info(jid=f"rooms.{near.other.domain}", timeout=30)
        assert "http://jabber.org/protocol/muc" in info["disco_info"]["features"]


async def test_an_administrator_sees_and_ends_streams(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    near.site.server.add(f"root{alice.id}", admin=True)
    root = near.site.server.login(f"root{alice.id}")
    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        a.send_message(f"romeo@{near.other.domain}", "在吗", mtype="chat")
        await romeo.until(lambda: "在吗" in romeo.texts)
        romeo.send_message(f"{alice.id}@{DOMAIN}", "Ay", mtype="chat")
        await a.has("Ay")
        streams = root.call("GET", "/v1/xmpp/streams")["streams"]
        ours = next(one for one in streams if one["address"] == f"{alice.id}@{DOMAIN}/desk")
        assert {(one["kind"], one["address"]) for one in streams} >= {
            ("server-out", near.other.domain),
            ("server-in", near.other.domain),
        }
        assert {one["how"] for one in streams if one["kind"] != "client"} == {near.how}
        ended = asyncio.Event()
        a.add_event_handler("disconnected", lambda _: ended.set())
        root.call("DELETE", f"/v1/xmpp/streams/{ours['id']}")
        async with asyncio.timeout(30):
            await ended.wait()
    with pytest.raises(Refused, match="403"):
        alice.call("GET", "/v1/xmpp/streams")
    with pytest.raises(Refused, match="404"):
        root.call("DELETE", "/v1/xmpp/streams/none")


async def test_somebody_of_theirs_takes_part_in_a_channel_of_ours(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    lane = alice.call("POST", "/v1/conversations", {"kind": "channel", "title": "广场", "members": []})["id"]
    room = f"{lane}@rooms.{DOMAIN}"
    async with client(near.site, alice.id, plugins=("xep_0045",)) as a, neighbour(near, "romeo", plugins=("xep_0045",)) as romeo:
        await a.plugin["xep_0045"].join_muc_wait(room, "alice", timeout=30)
        await romeo.plugin["xep_0045"].join_muc_wait(room, "romeo", timeout=30)
        a.send_message(room, "欢迎", mtype="groupchat")
        await romeo.until(lambda: "欢迎" in romeo.texts)
        romeo.send_message(room, "Thanks", mtype="groupchat")
        await a.until(lambda: "Thanks" in a.texts)
        await romeo.until(lambda: "Thanks" in romeo.texts)
    members = alice.call("GET", f"/v1/conversations/{lane}/members")["members"]
    assert f"romeo@{near.other.domain}" in [one["id"] for one in members]
    assert alice.texts(lane)[-2:] == ["欢迎", "Thanks"]
