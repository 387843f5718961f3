"""Windows above the screen: a line to fill in, and a search with its hits."""

import asyncio
import re
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

from hongyan.client.errors import ClientError
from hongyan.client.terminal.plain import harmless
from hongyan.core.errors import HongyanError

_COMMAS = re.compile("[,，、]")
_WAIT = 0.2
"""Seconds after the last key before it is searched."""


def listed(text: str) -> list[str]:
    """Parts with commas of either script between them."""
    return [part for part in (one.strip() for one in _COMMAS.split(text)) if part]


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
        self._looked: str | None = None
        """What the list fits."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            yield Input(self._given, placeholder=self._hint)
            yield Label("", id="nothing", markup=False)
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        self._look(self._given, 0)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._look(event.value, _WAIT)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the first of what fits what is typed, also when that was not looked up yet."""

        async def take() -> None:
            if event.value.strip() != self._looked:
                await self._show(event.value.strip())
            if self._values:
                self.dismiss(self._values[self.query_one(OptionList).highlighted or 0])

        self.run_worker(take(), exclusive=True)

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
            await self._show(text.strip())

        self.run_worker(look(), exclusive=True)

    async def _show(self, text: str) -> None:
        said = ""
        try:
            found = await self._find(text)
        except (HongyanError, ClientError) as error:  # the window stays, and says why it is empty
            found, said = [], harmless(str(error), lines=False)
        self._looked = text
        self._values = [one.value for one in found]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(one.text) for one in found])
        options.highlighted = 0 if found else None
        self.query_one("#nothing", Label).update(said or ("" if found or not text else self._nothing))
