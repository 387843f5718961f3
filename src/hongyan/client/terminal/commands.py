"""What a typed line means. No I/O."""

from typing import Literal, get_args

import msgspec

Verb = Literal["search", "reply", "edit", "recall", "react", "delay", "later", "requests", "allow", "refuse"]
"""What is done to messages, and who may see whether one is there (`verbs.py`)."""
Name = Literal["q", "olu", "all", "help", "open", "list", "history", "info", "transport", "pu", "emoji", "file"] | Verb
VERBS: tuple[Verb, ...] = get_args(Verb)
NAMES: tuple[Name, ...] = (*get_args(get_args(Name)[0]), *VERBS)


class Say(msgspec.Struct, frozen=True):
    """Text for the current conversation."""

    text: str


class Private(msgspec.Struct, frozen=True):
    """Text for one person: `userId;;text` or `name;;text`."""

    person: str
    text: str


class Command(msgspec.Struct, frozen=True):
    name: Name
    argument: str = ""


class Unknown(msgspec.Struct, frozen=True):
    """A command that there is not; `nearest` is what may have been meant."""

    name: str
    nearest: str | None


class Nothing(msgspec.Struct, frozen=True):
    """An empty line."""


def parse(line: str) -> Say | Private | Command | Unknown | Nothing:
    """A text that begins with a colon is typed with two."""
    text = line.strip("\r\n")
    if not text.strip():
        return Nothing()
    if text.startswith("::"):
        return Say(text[1:])
    if text.startswith(":"):
        word, _, argument = text[1:].strip().partition(" ")
        for name in NAMES:
            if word.lower() == name or (name == "q" and word.lower() in ("q!", "quit")):
                if word.lower() == "q" and argument.strip():  # as in CIM's client: alone it leaves, with a word it searches
                    return Command("search", argument.strip())
                return Command(name, argument.strip())
        return Unknown(word, next((name for name in NAMES if word and name != "file" and name.startswith(word[0].lower())), None))
    person, mark, rest = text.partition(";;")
    if mark and person.strip() and rest.strip() and "\n" not in person and len(person) <= 128:
        return Private(person.strip(), rest.strip())
    return Say(text)
