"""What a typed line means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.terminal.commands import NAMES, Command, Nothing, Private, Say, Unknown, parse


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("早上好", Say("早上好")),
        ("  indented", Say("  indented")),
        ("", Nothing()),
        (" \t\n", Nothing()),
        ("lihua;;周五见", Private("lihua", "周五见")),
        ("李华;;周五见", Private("李华", "周五见")),
        (" Li Hua ;; see you;;later ", Private("Li Hua", "see you;;later")),
        (";;nobody", Say(";;nobody")),
        ("lihua;;", Say("lihua;;")),
        ("a;b", Say("a;b")),
        ("x" * 129 + ";;text", Say("x" * 129 + ";;text")),
        ("two\nlines;;x", Say("two\nlines;;x")),
        ("lihua;;two\nlines", Private("lihua", "two\nlines")),
        ("::q", Say(":q")),
        (":)", Unknown(")", None)),
        (":q", Command("q")),
        (":quit", Command("q")),
        (":Q", Command("q")),
        (":olu ", Command("olu")),
        (": list", Command("list")),
        (":history 50", Command("history", "50")),
        (":open 项目 组", Command("open", "项目 组")),
        (":transport sse", Command("transport", "sse")),
        (":emoji 2", Command("emoji", "2")),
        (":help", Command("help")),
        (":lsit", Unknown("lsit", "list")),
        (":xyz", Unknown("xyz", None)),
        (":", Unknown("", None)),
    ],
)
def test_lines(line: str, meaning: object) -> None:
    assert parse(line) == meaning


@given(st.text(max_size=200))
def test_any_line_means_something_and_no_text_is_lost(line: str) -> None:
    match parse(line):
        case Say(text):
            assert text in line
            assert text.strip()
        case Private(person, text):
            assert f"{person}" in line
            assert text in line
            assert person
            assert text
        case Command(name, argument):
            assert name in NAMES
            assert argument in line
        case Unknown(name, _):
            assert name in line
        case Nothing():
            assert not line.strip()
