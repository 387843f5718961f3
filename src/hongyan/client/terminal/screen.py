"""The two faces: a person at a terminal (prompt_toolkit), and a pipe."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app_or_none, run_in_terminal
from prompt_toolkit.application.current import get_app_session
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style

from hongyan.client.terminal.chat import TRANSPORTS, Chat
from hongyan.client.terminal.commands import NAMES
from hongyan.client.terminal.lines import Lines
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import CODES, STYLES, Line

_STYLE = Style.from_dict(STYLES)
_T = TypeVar("_T")


def text_of(line: Line, *, colour: bool) -> str:
    """A line for a terminal. Whatever foreign text there is in it cannot do anything to the terminal."""
    pieces = []
    for style, text in line:
        code = CODES[style] if colour else ""
        pieces.append(f"\x1b[{code}m{harmless(text)}\x1b[0m" if code else harmless(text))
    return "".join(pieces)


class Plain:
    """Prints each line at once. When nobody reads any more, `gone` is called."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone

    def show(self, line: Line) -> None:
        try:
            print(text_of(line, colour=False), flush=True)
        except BrokenPipeError:
            self._gone()


class Above:
    """Prints above the prompt, the lines of one moment at once: each print costs the prompt's being drawn again."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._output = get_app_session().output
        self._waiting: list[str] = []
        self._printing: asyncio.Future[None] | None = None

    def columns(self) -> int:
        return self._output.get_size().columns

    def show(self, line: Line) -> None:
        self._waiting.append(text_of(line, colour=self._colour) + "\n")
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Print what waits."""
        if not self._waiting:
            return
        app = get_app_or_none()
        if app is not None and app.is_running:
            self._printing = asyncio.ensure_future(run_in_terminal(self._write))
        else:
            self._write()

    def _write(self) -> None:
        text, self._waiting = "".join(self._waiting), []
        self._output.enable_autowrap()
        self._output.write_raw(text)
        self._output.flush()


class Words(Completer):
    """Commands after a colon, conversations and people after :open, people in front of ;;."""

    def __init__(self, titles: Callable[[], Iterable[str]], people: Callable[[str], Awaitable[list[str]]]) -> None:
        self._titles = titles
        self._people = people

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        yield from ()

    async def get_completions_async(self, document: Document, complete_event: CompleteEvent) -> AsyncGenerator[Completion, None]:
        text = document.text_before_cursor
        command, space, rest = text.partition(" ")
        if command == ":open" and space:
            choices, begin = [*self._titles(), *await self._people(rest)], rest
        elif command == ":pu" and space:
            choices, begin = await self._people(rest), rest
        elif command == ":transport" and space:
            choices, begin = list(TRANSPORTS), rest
        elif text.startswith(":") and not space:
            choices, begin = [f":{name}" for name in NAMES], text
        elif text and not text.startswith(":") and ";;" not in text and len(text) <= 32:
            choices, begin = [f"{name};;" for name in await self._people(text)], text
        else:
            return
        for choice in dict.fromkeys(choices):
            if choice.casefold().startswith(begin.casefold()) and choice == harmless(choice, lines=False):
                yield Completion(choice, start_position=-len(begin))


async def ask_password(question: str) -> str:
    """Without showing it; standard output may be a file. Raises KeyboardInterrupt and EOFError."""
    output = create_output(stdout=sys.stderr)
    session: PromptSession[str] = PromptSession(output=output, history=InMemoryHistory(), erase_when_done=True)
    return await session.prompt_async(question, is_password=True, handle_sigint=False)


async def converse(
    chat: Chat, above: Above, people: Callable[[str], Awaitable[list[str]]], history: Path | None, *, colour: bool
) -> None:
    """Read lines from a person until :q, Ctrl-D or Ctrl-C."""
    session: PromptSession[str] = PromptSession(
        history=_history(history),
        completer=Words(chat.titles, people),
        complete_while_typing=False,
        erase_when_done=True,
        style=_STYLE,
        color_depth=None if colour else ColorDepth.DEPTH_1_BIT,
    )

    def question() -> FormattedText:
        return FormattedText([("class:place", chat.title()), ("class:trouble", chat.trouble()), ("class:prompt", " › ")])

    with patch_stdout(raw=True):  # for what others print; `above` needs no such thread
        while not chat.ended.is_set():
            try:
                line = await _unless(chat.ended, session.prompt_async(question, handle_sigint=False))
            except (EOFError, KeyboardInterrupt):
                return
            if line is None:
                return
            if line.startswith(":") and not line.startswith("::"):
                chat.note(line)
            await _unless(chat.ended, chat.line(line))
            above.flush()


def _history(path: Path | None) -> History:
    if path is None:
        return InMemoryHistory()
    path.touch(mode=0o600)  # private messages are in it too
    return FileHistory(str(path))


async def read_pipe(chat: Chat, lines: Lines, settled: Callable[[], Awaitable[None]]) -> None:
    """Do what the lines say, then wait until everything is acknowledged. What ends the chat otherwise ends the waiting too."""
    while (line := await _unless(chat.ended, lines.next())) is not None:
        await _unless(chat.ended, chat.line(line))
        if chat.has_quit:
            break
    await _unless(chat.ended, settled())


async def _unless(ended: asyncio.Event, awaited: Awaitable[_T]) -> _T | None:
    """The result, or None when the chat ended first: then what was awaited is cancelled."""
    task = asyncio.ensure_future(awaited)
    ending = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        for one in (task, ending):
            one.cancel()
        await asyncio.gather(task, ending, return_exceptions=True)
