"""docs/reference/cli.md has a section for every command with every option and argument, and names no other.

The parser is caught as `hongyan.cli.main` uses it, so the page is held to what a person can type.
"""

import argparse
import sys
from collections.abc import Iterator

import pytest

from hongyan import cli
from tests.docs.pages import code, headings, rows


class _Caught(Exception):  # not an error: it carries the parser out
    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> argparse.ArgumentParser:
    def catch(self: argparse.ArgumentParser, *_: object, **__: object) -> None:
        raise _Caught(self)

    for name in ("parse_args", "parse_known_args"):
        monkeypatch.setattr(argparse.ArgumentParser, name, catch)
    monkeypatch.setattr(sys, "argv", ["hongyan"])
    with pytest.raises(_Caught) as caught:
        cli.main()
    return caught.value.parser


def _commands(parser: argparse.ArgumentParser, name: str = "hongyan") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            seen: set[int] = set()
            for word, below in action.choices.items():
                if id(below) not in seen:  # an alias is the same parser again
                    seen.add(id(below))
                    yield from _commands(below, f"{name} {word}")


def _takes(parser: argparse.ArgumentParser) -> set[str]:
    """Options by their longest name, arguments by the word the help shows."""
    taken: set[str] = set()
    for action in parser._actions:
        if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)) or action.help == argparse.SUPPRESS:
            continue
        if action.option_strings:
            taken.add(max(action.option_strings, key=len))
        else:
            taken.add(str(action.metavar or action.dest).upper())
    return taken


def test_page_has_a_section_for_exactly_the_commands(parser: argparse.ArgumentParser) -> None:
    page = {code(heading) for heading in headings("cli.md") if code(heading)}
    assert page == {name for name, _ in _commands(parser)}


def test_each_section_lists_exactly_the_options_and_arguments(parser: argparse.ArgumentParser) -> None:
    faults = []
    for name, command in _commands(parser):
        page = {code(row[0]).split(" ")[0] for row in rows("cli.md", f"`{name}`")}
        wanted = _takes(command)
        if page != wanted:
            faults.append(f"{name}: missing {sorted(wanted - page)}, does not exist {sorted(page - wanted)}")
    assert not faults, "\n".join(faults)
