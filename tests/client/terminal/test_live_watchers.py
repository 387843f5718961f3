"""Somebody of Prosody asks to see whether one is there, which is seen and answered by line and on the whole screen."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...gateways.xmpp.client import asks
from ...gateways.xmpp.neighbours import Neighbours, neighbours
from ...serving import wait_for
from .pane import Pane
from .test_live_full import full


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("near"), "prosody") as both:
        yield both


def test_a_request_is_told_listed_and_answered(near: Neighbours, tmp_path: Path) -> None:
    (ann,) = near.site.people("ann")
    romeo, mercutio = f"romeo@{near.other.domain}", f"mercutio@{near.other.domain}"

    def listed() -> dict[str, str]:
        return {one["id"]: one["state"] for one in ann.call("GET", "/v1/me/watchers")["watchers"]}

    asyncio.run(asks(near, "mercutio", ann.id))
    wait_for(lambda: listed() == {mercutio: "asks"})
    with Pane(near.site.server, tmp_path, ann.id, size="120x30") as pane:
        pane.log_in()
        pane.sees("1 人请求查看您的在线状态，输入 :requests 查看")
        asyncio.run(asks(near, "romeo", ann.id))
        pane.sees(f"{romeo} 请求查看您的在线状态；输入 :allow {romeo} 允许")
        assert f"[user:{ann.id}]" not in pane.screen()
        pane.type(":requests")
        pane.sees(f"  1 {mercutio}  请求查看您的在线状态", f"  2 {romeo}  请求查看您的在线状态")
        pane.type(":allow 2")
        pane.sees(f"{romeo} 可以查看您的在线状态了。")
        pane.type(f":refuse {mercutio}")
        pane.sees(f"{mercutio} 不能查看您的在线状态。")
        assert listed() == {romeo: "sees"}
        for line, said in ((":allow", "请写出地址或序号"), (":allow 3", "没有这个序号"), (f":allow {mercutio}", "未能完成")):
            pane.type(line)
            pane.sees(said)
        pane.type(f":refuse {romeo}")
        pane.sees(f"{romeo} 不能查看您的在线状态。")
        pane.type(":requests")
        pane.sees("没有人请求查看您的在线状态，也没有人能够查看。")
        pane.type(":q")
        assert pane.ended() == 0


def test_the_whole_screen_tells_and_answers_too(near: Neighbours, tmp_path: Path) -> None:
    (ann,) = near.site.people("ann")
    romeo = f"romeo@{near.other.domain}"
    with Pane(near.site.server, tmp_path, ann.id, "--tui", size="120x30") as pane:
        full(pane)
        asyncio.run(asks(near, "romeo", ann.id))
        pane.sees(romeo, "请求查看您的在线状态")
        pane.type(":requests")
        pane.sees(f"1 {romeo}")
        pane.type(":allow 1")
        wait_for(lambda: ann.call("GET", "/v1/me/watchers")["watchers"] == [{"id": romeo, "state": "sees"}])
        pane.type(":refuse [b]x@other.example")  # what looks like markup is shown as it is
        wait_for(lambda: ":refuse [b]" not in (screen := pane.screen()) and "[b]x@other.example" in screen)


def test_somebody_of_another_server_is_written_to_by_address(near: Neighbours, tmp_path: Path) -> None:
    (ann,) = near.site.people("ann")
    romeo, mercutio = f"romeo@{near.other.domain}", f"mercutio@{near.other.domain}"
    with Pane(near.site.server, tmp_path, ann.id, size="120x30") as pane:
        pane.log_in()
        pane.type(f"{romeo};;你好，罗密欧")
        wait_for(lambda: ann.texts(ann.direct(romeo)) == ["你好，罗密欧"])
        pane.type(f":open {mercutio}")
        pane.sees(f"当前会话：{mercutio}")
        pane.type(":open nobody@elsewhere@x")
        pane.sees("elsewhere")
