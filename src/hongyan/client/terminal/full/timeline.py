"""The messages of one room, as widgets that can be chosen with keys and mouse. Older ones are asked for at the top."""

import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.message import Message as Said
from textual.widgets import Static

from hongyan.client.model import Event
from hongyan.client.terminal.full import look
from hongyan.client.terminal.full.room import Room
from hongyan.client.terminal.show import clock_text
from hongyan.client.terminal.words import Words


class Bubble(Static):
    """One message."""

    def __init__(self, seq: int) -> None:
        super().__init__("", markup=False, classes="bubble")
        self.seq = seq

    def on_click(self, event: events.Click) -> None:
        self.post_message(Timeline.Chosen(self.seq, again=event.chain > 1))


class Timeline(VerticalScroll):
    """Shows a `Room`. The chosen message is what acts are done to."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [("up", "choose(-1)"), ("down", "choose(1)"), ("home", "oldest"), ("end", "newest")]

    class Chosen(Said):
        """A message was clicked."""

        def __init__(self, seq: int, *, again: bool) -> None:
            super().__init__()
            self.seq = seq
            self.again = again

    def __init__(self, words: Words, name: look.Name, older: Callable[[], Awaitable[None]]) -> None:
        super().__init__(id="timeline")
        self._words = words
        self._names = name
        self._older = older
        self.room: Room | None = None
        self.chosen: int | None = None
        self.unread_from: int | None = None
        """A line is drawn above this message."""
        self._bubbles: dict[int, Bubble] = {}
        self._asking = False

    async def show(self, room: Room | None) -> None:
        """Another room, from its end."""
        self.room = room
        self.chosen = None
        self._bubbles = {}
        await self.remove_children()
        if room is None:
            return
        bubbles = [self._make(seq) for seq in room.messages]
        if bubbles:
            await self.mount_all(bubbles)
        else:
            await self.mount(Static(self._words("tui_empty"), classes="empty"))
        self.scroll_end(animate=False)

    async def prepend(self, fresh: list[Event]) -> None:
        """Older messages came in above; what is read stays where it is."""
        bubbles = [self._make(event.seq) for event in fresh if event.seq not in self._bubbles]
        if not bubbles:
            return
        before = self.virtual_size.height - self.scroll_y
        await self.mount_all(bubbles, before=0)
        self.call_after_refresh(lambda: self.scroll_to(y=self.virtual_size.height - before, animate=False))
        self._trim()

    async def changed(self, seq: int) -> None:
        """A message is new, or looks different now."""
        room = self.room
        if room is None or seq not in room.messages:
            return
        bubble = self._bubbles.get(seq)
        if bubble is not None:
            self._draw(bubble)
            return
        at_end = self.at_end
        for empty in self.query(".empty"):
            await empty.remove()
        await self.mount(self._make(seq))
        self._trim()
        if at_end:
            self.scroll_end(animate=False)

    @property
    def at_end(self) -> bool:
        return self.max_scroll_y - self.scroll_y < 3

    def redraw(self) -> None:
        """Names may have changed."""
        for bubble in self._bubbles.values():
            self._draw(bubble)

    def choose(self, seq: int | None) -> None:
        for one in (self.chosen, seq):
            if one is not None and one in self._bubbles:
                self._bubbles[one].set_class(one == seq, "chosen")
        self.chosen = seq
        if seq is not None and seq in self._bubbles:
            self._bubbles[seq].scroll_visible(animate=False)

    async def action_choose(self, step: int) -> None:
        room = self.room
        if room is None or not room.messages:
            return
        seqs = list(room.messages)
        if self.chosen not in room.messages:
            self.choose(seqs[-1])
            return
        at = seqs.index(self.chosen) + step
        if at < 0:
            await self._ask()
        elif at < len(seqs):
            self.choose(seqs[at])

    async def action_oldest(self) -> None:
        self.scroll_home(animate=False)
        await self._ask()

    def action_newest(self) -> None:
        self.choose(None)
        self.scroll_end(animate=False)

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if new <= 1 and old > new and self.room is not None and self.room.more:
            self.run_worker(self._ask(), exclusive=True, group="older")

    async def _ask(self) -> None:
        if self._asking or self.room is None or not self.room.more:
            return
        self._asking = True
        try:
            await self._older()
        finally:
            self._asking = False

    def _make(self, seq: int) -> Bubble:
        bubble = self._bubbles[seq] = Bubble(seq)
        self._draw(bubble)
        return bubble

    def _draw(self, bubble: Bubble) -> None:
        room = self.room
        if room is None or bubble.seq not in room.messages:
            return
        event = room.messages[bubble.seq]
        before = _before(room, bubble.seq)
        head = not look.joins(before, event) or bubble.seq == self.unread_from
        clock = clock_text(event.time, time.time())
        bubble.update(look.message(room, event, name=self._names, clock=clock, head=head, words=self._words))
        bubble.set_class(head, "head")
        bubble.set_class(bubble.seq == self.unread_from, "first-unread")
        bubble.border_title = self._words("tui_new") if bubble.seq == self.unread_from else None

    def _trim(self) -> None:
        """Widgets of messages that the room has let go."""
        room = self.room
        for seq in [seq for seq in self._bubbles if room is None or seq not in room.messages]:
            self._bubbles.pop(seq).remove()


def _before(room: Room, seq: int) -> Event | None:
    found = None
    for one, event in room.messages.items():
        if one >= seq:
            break
        found = event
    return found
