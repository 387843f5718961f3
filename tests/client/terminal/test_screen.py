"""What is printed, and what Tab completes."""

import asyncio

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from hongyan.client.terminal.screen import Plain, Words, text_of

PEOPLE = {"lihua": "李华", "liming": "Li Ming", "evil": "\x1b[2J"}


async def completed(text: str) -> list[str]:
    async def people(prefix: str) -> list[str]:
        return [word for pair in PEOPLE.items() for word in pair]

    words = Words(lambda: ["大厅", "项目组", "Team"], people)
    document = Document(text)
    return [
        text[: len(text) + found.start_position] + found.text
        async for found in words.get_completions_async(document, CompleteEvent(completion_requested=True))
    ]


@pytest.mark.parametrize(
    ("typed", "choices"),
    [
        (":o", [":olu", ":open"]),
        (":Q", [":q"]),
        (":open 项", [":open 项目组"]),
        (":open te", [":open Team"]),
        (":open li", [":open lihua", ":open liming", ":open Li Ming"]),
        (":pu 李", [":pu 李华"]),
        (":transport l", [":transport longpoll"]),
        ("li", ["lihua;;", "liming;;", "Li Ming;;"]),
        ("李", ["李华;;"]),
        ("\x1b", []),
        ("lihua;;a", []),
        ("", []),
        (":history ", []),
        ("x" * 40, []),
    ],
)
async def test_completion(typed: str, choices: list[str]) -> None:
    assert await completed(typed) == choices


def test_colours_surround_and_foreign_text_cannot_leave_them() -> None:
    line = [("time", "20:31 "), ("name", "\x1b[0mmallory"), ("text", ": \x1b]0;x\x07")]
    assert text_of(line, colour=True) == "\x1b[90m20:31 \x1b[0m\x1b[1;36m␛[0mmallory\x1b[0m: ␛]0;x␇"
    assert text_of(line, colour=False) == "20:31 ␛[0mmallory: ␛]0;x␇"


def test_pipe_that_nobody_reads_ends_the_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = asyncio.Event()

    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", broken)
    Plain(gone.set).show([("text", "x")])
    assert gone.is_set()
