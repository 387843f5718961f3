"""The line above the messages says where one is, the one below how the connection is and who is typing."""

import time
from collections.abc import Callable

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Static

from hongyan.client.client import Client
from hongyan.client.model import Json
from hongyan.client.terminal.full.room import Room
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import title_of
from hongyan.client.terminal.words import Words

_TYPING_SECONDS = 6.0
_NAMED = 3


class Where(Static):
    def __init__(self, words: Words) -> None:
        super().__init__("", id="where", markup=False)
        self._words = words

    def show(self, client: Client, room: Room | None, me: str) -> None:
        """The conversation, or the thread of it."""
        view = client.state.conversation(room.conversation) if room is not None else None
        text = Text(no_wrap=True, overflow="ellipsis")
        if view is not None and room is not None:
            text.append(title_of(view, me, client.state), style="bold")
            if room.root is not None:
                text.append(f"  ↳ {self._words('tui_thread')}", style="blue")
            if view.kind != "direct":
                text.append(f"  {self._words('tui_members', count=view.member_count)}", style="dim")
            if view.writers == "nobody":
                text.append(f"  {self._words('tui_archived')}", style="yellow")
            if view.topic:
                text.append(f"  · {harmless(view.topic, lines=False)}", style="italic dim")
        self.update(text)


class Below(Static):
    def __init__(self, words: Words, name: Callable[[str], str]) -> None:
        super().__init__("", id="link", markup=False)
        self._words = words
        self._names = name
        self._typing: dict[str, float] = {}

    def typing(self, body: Json) -> None:
        """A signal of somebody else in this conversation."""
        user = str(body.get("user", ""))
        if body.get("typing"):
            self._typing[user] = time.monotonic()
        else:
            self._typing.pop(user, None)

    def has_written(self, user: str) -> None:
        self._typing.pop(user, None)

    def show(self, client: Client) -> None:
        """As it is now; who has not typed for some seconds has stopped."""
        now, link = time.monotonic(), client.link
        self._typing = {user: at for user, at in self._typing.items() if now - at <= _TYPING_SECONDS}
        parts = []
        if self._typing:
            people = "、".join(harmless(self._names(user), lines=False) for user in list(self._typing)[:_NAMED])
            parts.append(self._words("tui_typing", people=people))
        elif link.connection == "online":
            parts.append(f"● {link.transport}")
        else:
            parts.append(f"○ {self._words(f'link_{link.connection}')}")
        if client.outbox_size:
            parts.append(self._words("tui_unsent", count=client.outbox_size))
        left, hint = "  ".join(parts), self._words("tui_keys")
        room = self.size.width - cell_len(left) - cell_len(hint) - 2
        self.update(left + (" " * room + hint if room > 1 else ""))
        self.set_class(link.connection not in ("online", "connecting", "new"), "trouble")
