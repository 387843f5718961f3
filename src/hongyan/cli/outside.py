"""`hongyan chat` and `hongyan bench`: programs that reach a server over the wire only. Their options are their own."""

import argparse
from collections.abc import Sequence

from hongyan.cli.options import Commands


def add(commands: Commands, words: Sequence[str]) -> None:
    """Both bring large libraries, so their options are declared only when the name was typed (or nothing at all)."""
    chat = commands.add_parser("chat", help="chat in this terminal, or from a pipe", allow_abbrev=False)
    bench = commands.add_parser("bench", help="load a server and measure it", allow_abbrev=False)
    if not words or "chat" in words:
        from hongyan.client import terminal

        terminal.add_arguments(chat)
    if not words or "bench" in words:
        from hongyan.bench import command

        command.add_arguments(bench)
    chat.set_defaults(run=_chat)
    bench.set_defaults(run=_bench)


def _chat(given: argparse.Namespace) -> int:
    from hongyan.client import terminal

    return terminal.run(given)


def _bench(given: argparse.Namespace) -> int:
    from hongyan.bench import command

    return command.run(given)
