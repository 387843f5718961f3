"""The two faces: a person at a terminal (prompt_toolkit), and a pipe."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style

from hongyan.client.terminal.chat import Chat
from hongyan.client.terminal.commands import NAMES
from hongyan.client.terminal.show import STYLES, Line

_STYLE = Style.from_dict(STYLES)
_TRANSPORTS = ("auto", "websocket", "sse", "longpoll", "poll")


def printer(*, colour: bool) -> Callable[[Line], None]:
    """Prints one line; without colour or terminal it is plain text."""

    def coloured(line: Line) -> None:
        pieces = FormattedText([(f"class:{style}", text) for style, text in line])
        print_formatted_text(pieces, style=_STYLE)

    def plain(line: Line) -> None:
        print("".join(text for _, text in line), flush=True)

    return coloured if colour else plain


class _Words(Completer):
    """Commands after a colon, conversations after :open, people in front of ;;."""

    def __init__(self, titles: Callable[[], Iterable[str]], names: Callable[[], Iterable[str]]) -> None:
        self._titles = titles
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        command, space, rest = text.partition(" ")
        if command == ":open" and space:
            choices, begin = list(self._titles()), rest
        elif command == ":transport" and space:
            choices, begin = list(_TRANSPORTS), rest
        elif text.startswith(":") and not space:
            choices, begin = [f":{name}" for name in NAMES], text
        elif text and not text.startswith(":") and ";;" not in text and len(text) <= 32:
            choices, begin = [f"{name};;" for name in self._names()], text
        else:
            return
        for choice in dict.fromkeys(choices):
            if choice.casefold().startswith(begin.casefold()):
                yield Completion(choice, start_position=-len(begin))


async def converse(chat: Chat, names: Callable[[], Iterable[str]], history: Path | None, *, colour: bool) -> None:
    """Read lines from a person until :q, Ctrl-D or Ctrl-C."""
    kept: History = FileHistory(str(history)) if history else InMemoryHistory()
    session: PromptSession[str] = PromptSession(
        history=kept,
        completer=_Words(chat.titles, names),
        complete_while_typing=False,
        erase_when_done=True,
        style=_STYLE,
        color_depth=None if colour else ColorDepth.DEPTH_1_BIT,
    )
    with patch_stdout(raw=True):
        while not chat.ended.is_set():
            prompt = session.prompt_async(lambda: FormattedText([("class:place", chat.title()), ("", " > ")]), handle_sigint=True)
            try:
                line = await _unless_ended(chat, prompt)
            except (EOFError, KeyboardInterrupt):
                return
            if line is None:
                return
            if line.startswith(":") and not line.startswith("::"):
                chat.note(line)
            await chat.line(line)


async def _unless_ended(chat: Chat, reading: Awaitable[str]) -> str | None:
    """A line, or None when the chat ended first."""
    line = asyncio.ensure_future(reading)
    ended = asyncio.create_task(chat.ended.wait())
    try:
        await asyncio.wait({line, ended}, return_when=asyncio.FIRST_COMPLETED)
        return await line if line.done() else None
    finally:
        for task in (line, ended):
            task.cancel()
        await asyncio.gather(line, ended, return_exceptions=True)


async def read_pipe(chat: Chat, drained: Callable[[], Awaitable[None]]) -> None:
    """Read lines from a pipe to its end, then wait until everything is acknowledged."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # A thread of its own: the default executor would wait for a read that never ends when the chat ends first.
    import threading

    def reader() -> None:
        try:
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)
        except (RuntimeError, ValueError, OSError):
            return

    threading.Thread(target=reader, daemon=True, name="standard input").start()
    while (line := await _unless_ended(chat, _line(lines))) is not None and line:
        await chat.line(line)
        if chat.ended.is_set():
            break
    await _unless_ended(chat, _drained(drained)) if not chat.ended.is_set() else await drained()


async def _line(lines: "asyncio.Queue[str | None]") -> str:
    return await lines.get() or ""


async def _drained(drained: Callable[[], Awaitable[None]]) -> str:
    await drained()
    return ""
