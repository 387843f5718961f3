"""How things look in a terminal line: time, name, text. Styles are names; who prints turns them into colours or drops them."""

import time
from collections.abc import Callable

import msgspec
from prompt_toolkit.utils import get_cwidth

from hongyan.client.model import Conversation, Event, Online
from hongyan.client.state import State
from hongyan.client.terminal.files import file_of
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.words import Words
from hongyan.client.terminal.wrap import wrapped
from hongyan.core.content import in_words

Line = list[tuple[str, str]]
"""Pieces of one line: (style, text)."""

STYLES = {"place": "fg:ansiyellow", "prompt": "fg:ansibrightblack", "trouble": "fg:ansired"}
"""For prompt_toolkit, which draws the prompt."""
CODES = {"time": "90", "name": "1;36", "own": "1;32", "place": "33", "note": "90", "bad": "31", "text": ""}
"""For the lines above it: SGR parameters (ECMA-48), the 16 colours that every palette has."""
_NAMES = 8
_NARROWEST = 20
"""Columns for a text below which it is left to the terminal to break."""
_ENDLESS = 1_000_000


def title_of(conversation: Conversation, me: str, state: State) -> str:
    """A title, or for a direct conversation the other one's name."""
    if conversation.kind == "direct" or not conversation.title:
        others = [member for member in conversation.members or () if member.id != me]
        if others:
            return harmless("、".join(member.name for member in others[:_NAMES]), lines=False)
    return harmless(conversation.title or state.name(me if conversation.kind == "direct" else conversation.id), lines=False)


def message_line(
    event: Event,
    *,
    name: str,
    own: bool,
    place: str | None,
    words: Words,
    columns: int = 0,
    numbered: bool = False,
    clock: Callable[[], float] = time.time,
) -> Line:
    """`20:31 [place] name: text`, or `20:31 #12 ...`; further lines of the text are indented. Without `columns` lines have
    any length.
    """
    stamp = clock_text(event.time, clock()) + (f" #{event.seq}" if numbered else "")
    line: Line = [("time", stamp + " ")]
    if place is not None:
        line.append(("place", f"[{place}] "))
    who = words("me") if own else harmless(name, lines=False)
    line.append(("own" if own else "name", who + ": "))
    begin = sum(get_cwidth(text) for _, text in line)
    indent = len(stamp) + 1
    fits = columns - begin >= _NARROWEST
    line.append(("text", wrapped(said(event, words), columns if fits else _ENDLESS, begin, indent)))
    return line


def said(event: Event, words: Words) -> str:
    """What a message says, in words."""
    if event.content.get("type") == "recalled":
        return words("tui_recalled")
    if event.content.get("type") == "encrypted":
        return words("tui_encrypted")
    answers = event.content.get("reply") or event.content.get("thread")
    before = f"↩ #{answers} " if isinstance(answers, int) else ""
    file = file_of(event.content)
    text = f"{file}  {event.text}" if file is not None else in_words(msgspec.json.encode(event.content))
    return before + harmless(text)


def online_line(person: Online, words: Words, *, own: bool) -> Line:
    """`lihua  李华  online  telephone (sse), desk (websocket)`."""
    status = words(f"status_{person.status}") if person.status in ("online", "away", "busy", "dnd") else person.status
    devices = "、".join(f"{device.device} ({device.transport})" for device in person.devices)
    said = f"  “{person.text}”" if person.text else ""
    return [
        ("own" if own else "name", padded(harmless(person.id, lines=False), 14) + " "),
        ("text", padded(harmless(person.name, lines=False), 14) + " "),
        ("place", padded(harmless(status, lines=False), 6) + " "),
        ("text", harmless(devices, lines=False)),
        ("note", harmless(said, lines=False)),
    ]


def note_of(event: Event, state: State, words: Words) -> str | None:
    """A sentence for events that are not messages but worth a line."""
    by = harmless(state.name(event.sender), lines=False) if event.sender else ""
    if event.type == "create" and event.sender and event.content.get("kind") != "direct":
        return words("event_create", name=by)
    if event.type == "settings" and isinstance(title := event.content.get("title"), str):
        return words("event_title", title=harmless(title, lines=False))
    if event.type == "undelivered":
        about = {name: harmless(str(event.content.get(name, "")), lines=False) for name in ("seq", "user", "reason")}
        return words("event_undelivered", **about)
    if event.type == "watcher" and event.content.get("state") == "asks":
        return words("event_asks", user=harmless(str(event.content.get("id", "")), lines=False))
    if event.type in ("edit", "recall", "react"):
        about = {name: harmless(str(event.content.get(name, "")), lines=False) for name in ("seq", "text", "emoji")}
        return words(f"event_{event.type}", name=by, **about)
    action = event.content.get("action")
    if event.type == "member" and action in ("add", "remove", "leave"):
        users = event.content.get("users")
        named = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
        shown = [str(user.get("name") or user.get("id")) for user in named]
        people = harmless("、".join(shown[:_NAMES]), lines=False)
        if len(shown) > _NAMES:
            people = words("and_more", people=people, count=len(shown))
        return words(f"event_{action}" if by else "event_join", name=by, people=people)
    return None


def clock_text(milliseconds: int, now: float) -> str:
    """The time of day; with the date when it is another day."""
    then, today = time.localtime(milliseconds / 1000), time.localtime(now)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%Y-%m-%d %H:%M", then)


def padded(text: str, columns: int) -> str:
    """Filled up with spaces by columns: Chinese characters and emoji take two."""
    return text + " " * max(0, columns - get_cwidth(text))
