"""poezio, a client that others wrote, through this server: contacts, words both ways, a room, a restart, a wrong password."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.counterparts.poezio import Poezio
from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Person

_SECURE = 'mechanism="SCRAM-SHA-256-PLUS"'


def _poezio(site: Site, home: Path, person: Person, **more: str) -> Poezio:
    return Poezio(home, f"{person.id}@{DOMAIN}", "127.0.0.1", site.port, site.certificate, **more)


@contextlib.asynccontextmanager
async def _inside(one: Poezio) -> AsyncIterator[Poezio]:
    """It waits with the thread; the loop has another client to serve."""
    await asyncio.to_thread(one.__enter__)
    try:
        yield one
    finally:
        await asyncio.to_thread(one.__exit__, None, None, None)


def test_poezio_sees_who_is_there_and_talks_with_somebody_on_the_web(site: Site, tmp_path: Path) -> None:
    alice, bob = site.people("alice", "bob")
    lane = bob.direct(alice.id)
    bob.send(lane, "之前说的")
    with bob.stream() as stream, _poezio(site, tmp_path, alice) as window:
        assert _SECURE in window.log
        assert window.log.count("<auth ") == 1
        window.shows(f"{bob.id} ({bob.id}@{DOMAIN})")
        window.order(f"message {bob.id}@{DOMAIN} 你好，鸿雁")
        window.shows("之前说的")
        window.until(lambda: bob.texts(lane) == ["之前说的", "你好，鸿雁"])
        stream.say("presence", status="dnd", text="开会")
        window.shows("status: 开会, show: busy")
        bob.call("POST", f"/v1/conversations/{lane}/typing", {"typing": True})
        window.shows("composing")
        bob.send(lane, "收到了")
        window.shows("收到了")
        window.until(lambda: "composing" not in window.screen())
        window.key("-l", "写")
        stream.until(lambda frame: (frame.get("type"), frame.get("user"), frame.get("typing")) == ("typing", alice.id, True))
        window.key("C-u")
        window.order("correct 你好，大雁")
        said = stream.text("你好，鸿雁")
        assert stream.event(type="edit")["content"] == {"seq": said["seq"], "text": "你好，大雁"}


async def test_poezio_and_slixmpp_give_each_other_receipts(site: Site, tmp_path: Path) -> None:
    alice, bob = site.people("alice", "bob")
    bob.direct(alice.id)
    async with client(site, bob.id, plugins=("xep_0184",)) as b, _inside(_poezio(site, tmp_path, alice)) as window:
        await asyncio.to_thread(window.order, f"message {bob.id}@{DOMAIN} 到了吗")
        await b.has("到了吗")
        await asyncio.to_thread(window.shows, "✔")
        came = asyncio.Event()
        b.add_event_handler("receipt_received", lambda _: came.set())
        asked = b.make_message(f"{alice.id}@{DOMAIN}", "到了", mtype="chat")
        asked["request_receipt"] = True
        asked.send()
        async with asyncio.timeout(30):
            await came.wait()


def test_poezio_takes_part_in_a_room(site: Site, tmp_path: Path) -> None:
    alice, bob = site.people("alice", "bob")
    lane = bob.group("大家 <&>")
    bob.send(lane, "不是给她的")
    bob.call("POST", f"/v1/conversations/{lane}/members", {"users": [alice.id]})
    for number in range(60):
        if number % 20 == 0:
            time.sleep(1.1)  # it asks for history by whole seconds
        bob.send(lane, f"第 {number} 句")
    time.sleep(1.1)
    with bob.stream(), _poezio(site, tmp_path, alice) as window:
        window.shows("大家 <&>")  # her rooms are her bookmarks
        window.order(f"win {lane}")
        window.page_up_to("第 59 句")  # from the archive
        window.page_up_to("第 3 句")
        window.key("NPage", "NPage", "NPage", "NPage")
        window.type("你好，鸿燕")
        window.shows("你好，鸿燕")
        window.order("correct 你好，鸿雁")
        window.until(lambda: "鸿燕" not in window.screen() and "你好，鸿雁" in window.screen())
        assert window.screen().count("你好，鸿雁") == 1
        bob.send(lane, "看见了")
        window.shows("看见了")
        bob.call("PATCH", f"/v1/conversations/{lane}", {"topic": "关于鸿雁"})
        window.shows("set the subject to: 关于鸿雁")
        window.order("close")
        window.until(lambda: "大家 <&>" not in window.screen())
    assert alice.id in [member["id"] for member in bob.call("GET", f"/v1/conversations/{lane}/members")["members"]]
    assert "不是给她的" not in window.log


def test_poezio_comes_back_after_a_restart(tmp_path: Path) -> None:
    with Site(tmp_path / "data") as site:
        alice, bob = site.people("alice", "bob")
        lane = bob.direct(alice.id)
        with _poezio(site, tmp_path, alice) as window:
            site.server.restart()
            bob.send(lane, "你还在吗")
            window.until(lambda: window.screen().count(f"JID is {alice.id}@{DOMAIN}/") == 2)
            window.order(f"message {bob.id}@{DOMAIN} 在")
            window.shows("你还在吗")
            window.until(lambda: bob.texts(lane) == ["你还在吗", "在"])


def test_poezio_is_told_that_the_password_is_wrong(site: Site, tmp_path: Path) -> None:
    (alice,) = site.people("alice")

    class Refused(Poezio):
        def log_in(self) -> None:
            self.shows("Authentication failed (bad credentials?)")

    with Refused(tmp_path, f"{alice.id}@{DOMAIN}", "127.0.0.1", site.port, site.certificate, password="wrong goose") as window:
        assert "JID is" not in window.screen()
