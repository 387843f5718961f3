"""The list of conversations at the left, and the people at the right."""

from collections.abc import Sequence

from rich.cells import set_cell_size
from rich.text import Text
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from hongyan.client.model import Conversation, Member
from hongyan.client.state import State
from hongyan.client.terminal.full import look
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import title_of
from hongyan.client.terminal.words import Words

_DOTS = {"online": ("●", "green"), "away": ("◐", "yellow"), "busy": ("●", "red"), "dnd": ("⊘", "red"), "offline": ("○", "dim")}


class Conversations(OptionList):
    """One line of title with what is unread, one with the last message."""

    def __init__(self, words: Words) -> None:
        super().__init__(id="conversations", markup=False)
        self._words = words
        self._shown: list[tuple[str, str]] = []

    def fill(self, state: State, me: str, current: str | None) -> None:
        """As it is now. Nothing is drawn anew when nothing has changed."""
        width = max(self.size.width - 4, 12)
        rows = [(one.id, self._row(one, state, me, width)) for one in state.conversations]
        shown = [(id, row.plain) for id, row in rows]
        if shown != self._shown:
            self._shown = shown
            self.clear_options()
            self.add_options([Option(row, id=id) for id, row in rows])
        if current is not None and (at := next((n for n, (id, _) in enumerate(rows) if id == current), None)) is not None:
            self.highlighted = at

    def _row(self, one: Conversation, state: State, me: str, width: int) -> Text:
        count = f" {one.unread if one.unread < 1000 else '999+'}" if one.unread else ""
        mention = " @" if one.mentioned else ""
        badge = mention + count
        mark = {"channel": "# ", "group": "", "direct": "@ "}.get(one.kind, "")
        title = set_cell_size(mark + title_of(one, me, state), max(width - len(badge), 4))
        text = Text(title, style="bold" if one.unread else "")
        text.append(badge, style="bold red" if one.mentioned else "bold yellow")
        under = self._under(one, state, me)
        text.append("\n" + set_cell_size(under, width), style="dim")
        return text

    def _under(self, one: Conversation, state: State, me: str) -> str:
        if draft := next((draft.text for draft in one.own.drafts if draft.thread is None), ""):
            return f"{self._words('tui_draft')} {harmless(draft, lines=False)}"
        if one.last is None:
            return ""
        amended = one.amended
        if amended is not None and amended.recalled is not None:
            said = self._words("tui_recalled")
        elif amended is not None and amended.text is not None:
            said = harmless(amended.text, lines=False)
        else:
            said = look.summary(one.last, self._words)
        if one.kind == "direct":
            return said
        who = self._words("me") if one.last.sender == me else harmless(state.name(one.last.sender or ""), lines=False)
        return f"{who}: {said}"


class People(OptionList):
    """Who is in the conversation, those who are there first."""

    can_focus = True

    def __init__(self) -> None:
        super().__init__(id="people", markup=False)

    def fill(self, members: Sequence[Member], presence: dict[str, str]) -> None:
        order = {"online": 0, "busy": 1, "dnd": 1, "away": 2, "offline": 3}
        people = sorted(members, key=lambda one: (order.get(presence.get(one.id, "offline"), 3), one.name))
        self.clear_options()
        for one in people:
            dot, style = _DOTS.get(presence.get(one.id, "offline"), _DOTS["offline"])
            text = Text(f"{dot} ", style=style)
            text.append(harmless(one.name, lines=False), style="")
            if one.role != "member":
                text.append(f" {'★' if one.role == 'owner' else '☆'}", style="yellow")
            self.add_option(Option(text, id=one.id))
