"""Messages that are addresses of files, by line and on the whole screen."""

from typing import Any

import pytest

from hongyan.client.model import Event
from hongyan.client.search import Hit, Snippet
from hongyan.client.terminal.files import file_of, in_hit
from hongyan.client.terminal.full import look
from hongyan.client.terminal.full.room import Room
from hongyan.client.terminal.show import said
from hongyan.client.terminal.words import Words
from hongyan.core.amending import Amended

ADDRESS = "https://a.example/files/x/%E5%B9%B4%E6%8A%A5%201.pdf"
WORDS = Words("zh")


def shared(seq: int = 1, text: str = ADDRESS, **content: Any) -> Event:
    return Event(f"e.{seq}", "room", seq, "message", "bob", 0, {"type": "text", "text": text, "oob": True, **content})


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (ADDRESS, "年报 1.pdf"),
        ("https://a.example/u/%E5%B9.pdf", "%E5%B9.pdf"),
        ("https://a.example/u/photo%E2%80%AEgpj.exe", "photo%E2%80%AEgpj.exe"),
        ("https://a.example/u/a%2Fb%0A", "a%2Fb%0A"),
        ("https://a.example/u/%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80.png", "👩\u200d🚀.png"),
        ("https://a.example/u/", "u"),
        ("https://a.example/?id=7", "a.example"),
    ],
)
def test_a_file_has_the_name_that_its_address_ends_with(address: str, name: str) -> None:
    assert file_of({"type": "text", "text": address, "oob": True}) == f"📎 {name}"


@pytest.mark.parametrize("content", [{"text": ADDRESS}, {"text": "https://[/x", "oob": True}, {"text": 7, "oob": True}, {}])
def test_all_else_is_a_text(content: dict[str, Any]) -> None:
    assert file_of(content) is None


def test_by_line_it_is_a_name_and_an_address() -> None:
    assert said(shared(reply=3), WORDS) == f"↩ #3 📎 年报 1.pdf  {ADDRESS}"
    assert said(shared(text="https://a.example/\x1b[2Jx"), WORDS) == "📎 ␛[2Jx  https://a.example/␛[2Jx"


def test_on_the_whole_screen_it_is_a_file_until_it_is_edited_or_taken_back() -> None:
    room = Room("room", "ann")
    room.load([shared(1), shared(2), shared(3, "同意", oob=False, reply=1)], [], more=False, older=True)

    def shown(seq: int) -> str:
        return look.message(room, room.messages[seq], name=lambda user: user, clock="", head=False, words=WORDS).plain

    assert shown(1) == f"📎 年报 1.pdf\n{ADDRESS}"
    assert shown(3) == "┃ bob: 📎 年报 1.pdf\n同意"
    assert look.summary(shared(), WORDS) == "📎 年报 1.pdf"
    room.load([], [Amended(1, at=5, text="https://a.example/y", edited=1), Amended(2, at=6)], more=False, older=True)
    assert shown(1) == "https://a.example/y （已编辑）"
    assert shown(3) == "┃ bob: https://a.example/y\n同意"
    bundle = {"type": "forward", "title": None, "items": [{"name": "Bob", "content": shared().content}]}
    room.load([Event("e.4", "room", 4, "message", "bob", 0, bundle)], [], more=False, older=False)
    assert shown(4).endswith("│ Bob: 📎 年报 1.pdf")


def test_a_search_shows_what_it_is_called() -> None:
    assert in_hit(Hit(shared(), Snippet(ADDRESS))) == "📎 年报 1.pdf"
    assert in_hit(Hit(shared(), Snippet("看\n这里"), {"seq": 1, "at": 2, "text": "看\n这里"})) == "看 这里"
