"""How a message looks: pieces of styled text. Whatever people wrote is plain text here, never markup."""

from collections.abc import Callable
from typing import Any

from rich.text import Text

from hongyan.client.model import Event
from hongyan.client.terminal.files import file_of
from hongyan.client.terminal.full.room import Room
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.words import Words

_GAP_MS = 300_000
"""After so long without a word the name is shown again."""
_QUOTED = 60
_BAR = 12
_ITEMS = 5

Name = Callable[[str], str]


def joins(before: Event | None, event: Event) -> bool:
    """It goes on under the same name as the one before it."""
    return before is not None and before.sender == event.sender and event.time - before.time < _GAP_MS


def message(room: Room, event: Event, *, name: Name, clock: str, head: bool, words: Words) -> Text:
    """One message with everything about it. `head`: with name and time above."""
    state = room.state(event.seq)
    text = Text()
    if head:
        own = event.sender == room.me
        text.append(harmless(name(event.sender or ""), lines=False), style="bold green" if own else "bold cyan")
        text.append(f"  {clock}\n", style="dim")
    if state.recalled is not None or event.content.get("type") == "recalled":
        text.append(words("tui_recalled"), style="dim italic")
        return text
    if state.pinned is not None:
        text.append(f"📌 {words('tui_pinned')}\n", style="yellow")
    quoted = event.content.get("reply")
    if isinstance(quoted, int):
        text.append(f"┃ {_quote(room, quoted, name, words)}\n", style="dim")
    _body(text, room, event, words)
    if state.edited is not None:
        text.append(f" {words('tui_edited')}", style="dim")
    if state.reactions:
        text.append("\n")
        for emoji, tally in state.reactions.items():
            text.append(f" {emoji} {tally.count} ", style="reverse bold" if tally.mine else "reverse dim")
            text.append(" ")
    if state.replies and room.root is None:
        text.append(f"\n↳ {words('tui_replies', count=state.replies)}", style="blue")
    return text


def _quote(room: Room, seq: int, name: Name, words: Words) -> str:
    event = room.messages.get(seq)
    if event is None:
        return words("tui_older")
    said = _file(room, event) or room.text(seq) or summary(event, words)
    return f"{harmless(name(event.sender or ''), lines=False)}: {harmless(said, lines=False)[:_QUOTED]}"


def _body(text: Text, room: Room, event: Event, words: Words) -> None:
    content = event.content
    match content.get("type"):
        case "text":
            if (file := _file(room, event)) is not None:
                text.append(f"{harmless(file, lines=False)}\n", style="bold")
            text.append(harmless(room.text(event.seq)))
        case "poll":
            _poll(text, room, event, words)
        case "forward":
            _bundle(text, content, words)
        case _:
            text.append(summary(event, words), style="italic")


def _file(room: Room, event: Event) -> str | None:
    """Until its text was edited, or taken back."""
    return file_of(event.content) if room.text(event.seq) == event.text else None


def _poll(text: Text, room: Room, event: Event, words: Words) -> None:
    state = room.state(event.seq)
    text.append(f"📊 {harmless(str(event.content.get('question', '')))}", style="bold")
    options = event.content.get("options")
    votes = sum(tally.count for tally in state.votes.values())
    for number, option in enumerate(options if isinstance(options, list) else []):
        tally = state.votes.get(str(number))
        count = tally.count if tally is not None else 0
        filled = round(_BAR * count / votes) if votes else 0
        mark = "●" if tally is not None and tally.mine else "○"
        text.append(f"\n {mark} {number + 1}. {harmless(str(option), lines=False)}  ")
        text.append("█" * filled + "░" * (_BAR - filled), style="cyan")
        text.append(f" {count}")
    if state.closed:
        text.append(f"\n {words('tui_closed')}", style="dim")


def _bundle(text: Text, content: dict[str, Any], words: Words) -> None:
    if said := content.get("text"):
        text.append(f"{harmless(str(said))}\n")
    items = content.get("items")
    items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    title = content.get("title")
    where = words("tui_from", title=harmless(str(title), lines=False)) if title else words("tui_forwarded")
    text.append(f"┌ {where}", style="dim")
    for item in items[:_ITEMS]:
        inner = item.get("content")
        said = (file_of(inner) or inner.get("text", "")) if isinstance(inner, dict) else ""
        text.append(f"\n│ {harmless(str(item.get('name', '')), lines=False)}: ", style="dim")
        text.append(harmless(str(said), lines=False))
    if len(items) > _ITEMS:
        text.append(f"\n└ {words('tui_and_more', count=len(items) - _ITEMS)}", style="dim")


def summary(event: Event, words: Words) -> str:
    """A message in a few words, for a list or a quote."""
    match event.content.get("type"):
        case "poll":
            return f"📊 {harmless(str(event.content.get('question', '')), lines=False)}"
        case "forward":
            return words("tui_forwarded")
        case "recalled":
            return words("tui_recalled")
        case "encrypted":
            return words("tui_encrypted")
        case "text":
            return harmless(file_of(event.content) or event.text, lines=False)
        case _:
            return words("tui_other")
