"""How things look in a terminal line: time, name, text. Styles are names; who prints turns them into colours or drops them."""

import time
import unicodedata
from collections.abc import Callable

from hongyan.client.model import Conversation, Event
from hongyan.client.state import State
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.words import Words

Line = list[tuple[str, str]]
"""Pieces of one line: (style, text)."""

STYLES = {
    "time": "fg:ansibrightblack",
    "name": "fg:ansicyan bold",
    "own": "fg:ansigreen bold",
    "place": "fg:ansiyellow",
    "note": "fg:ansibrightblack",
    "bad": "fg:ansired",
    "text": "",
}
_NAMES = 8


def title_of(conversation: Conversation, me: str, state: State) -> str:
    """A title, or for a direct conversation the other one's name."""
    if conversation.kind == "direct" or not conversation.title:
        others = [member for member in conversation.members or () if member.id != me]
        if others:
            return harmless("、".join(member.name for member in others[:_NAMES]), lines=False)
    return harmless(conversation.title or state.name(me if conversation.kind == "direct" else conversation.id), lines=False)


def message_line(
    event: Event, *, name: str, own: bool, place: str | None, words: Words, clock: Callable[[], float] = time.time
) -> Line:
    """`20:31 [place] name: text`; further lines of the text are indented."""
    stamp = clock_text(event.time, clock())
    line: Line = [("time", stamp + " ")]
    if place is not None:
        line.append(("place", f"[{place}] "))
    who = words("me") if own else harmless(name, lines=False)
    line.append(("own" if own else "name", who + ": "))
    indent = "\n" + " " * (width(stamp) + 1)
    line.append(("text", harmless(event.text).replace("\n", indent)))
    return line


def note_of(event: Event, state: State, words: Words) -> str | None:
    """A sentence for events that are not messages but worth a line."""
    name = state.name(event.sender or "")
    if event.type == "create":
        return words("event_create", name=harmless(name, lines=False))
    if event.type == "settings" and isinstance(title := event.content.get("title"), str):
        return words("event_title", title=harmless(title, lines=False))
    action = event.content.get("action")
    if event.type == "member" and action in ("add", "remove", "leave"):
        people = "、".join(str(person.get("name") or person.get("id")) for person in event.content.get("users", ())[:_NAMES])
        return words(f"event_{action}", name=harmless(name, lines=False), people=harmless(people, lines=False))
    return None


def clock_text(milliseconds: int, now: float) -> str:
    """The time of day; with the date when it is another day."""
    then, today = time.localtime(milliseconds / 1000), time.localtime(now)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%Y-%m-%d %H:%M", then)


def width(text: str) -> int:
    """Columns that a text takes: Chinese characters take two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, columns: int) -> str:
    """Filled up with spaces by columns, not by characters."""
    return text + " " * max(0, columns - width(text))
