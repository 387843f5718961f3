"""Windows above the screen: a line to fill in, and a search with its hits."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

import msgspec
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

_WAIT = 0.2
"""Seconds after the last key before it is searched."""


class Ask(ModalScreen[str | None]):
    """One line of text; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss")]

    def __init__(self, question: str, given: str = "") -> None:
        super().__init__()
        self._question = question
        self._given = given

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._question, markup=False)
            yield Input(self._given)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)


class Choice(msgspec.Struct, frozen=True):
    """Something to choose: what is shown, and what it stands for."""

    text: Text
    value: str


class Choose(ModalScreen[str | None]):
    """Type to narrow, choose with the arrows; None when it was left. `find` gives what fits what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss"), ("down", "move(1)"), ("up", "move(-1)")]

    def __init__(self, hint: str, nothing: str, find: Callable[[str], Awaitable[Sequence[Choice]]], given: str = "") -> None:
        super().__init__()
        self._given = given
        self._hint = hint
        self._nothing = nothing
        self._find = find
        self._values: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            yield Input(self._given, placeholder=self._hint)
            yield Label("", id="nothing", markup=False)
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        self._look(self._given, 0)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._look(event.value, _WAIT)

    def on_input_submitted(self) -> None:
        at = self.query_one(OptionList).highlighted
        if self._values:
            self.dismiss(self._values[at or 0])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._values[event.option_index])

    def action_move(self, step: int) -> None:
        found = self.query_one(OptionList)
        if step > 0:
            found.action_cursor_down()
        else:
            found.action_cursor_up()

    def _look(self, text: str, wait: float) -> None:
        async def look() -> None:
            if wait:
                await asyncio.sleep(wait)
            found = await self._find(text.strip())
            self._values = [one.value for one in found]
            options = self.query_one(OptionList)
            options.clear_options()
            options.add_options([Option(one.text) for one in found])
            options.highlighted = 0 if found else None
            self.query_one("#nothing", Label).update("" if found or not text.strip() else self._nothing)

        self.run_worker(look(), exclusive=True)
