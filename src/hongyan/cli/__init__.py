"""`hongyan`: the command line. Each command is a module with `add(commands)`; what it needs to run is imported when it runs.

So `hongyan --help` and `hongyan chat` start without the server's libraries, and the server without the client's.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from hongyan import __version__
from hongyan.cli import nodes, outside, people, serve, upkeep
from hongyan.cli.options import add_place
from hongyan.cli.refused import sentence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: done; 1: refused or failed, with a sentence on the standard error; 2: it was called wrongly."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(words)
    given = parser.parse_args(words)
    try:
        status: int = given.run(given)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `hongyan user list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise
        print(f"hongyan: {told}", file=sys.stderr)
        return 1


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """`words` is what the person typed: a command that is slow to import declares its options only when it may be meant."""
    parser = argparse.ArgumentParser(
        prog="hongyan",
        description="Instant messaging for an organisation: the server, its people, and a client for the terminal.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hongyan {__version__}")
    add_place(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    serve.add(commands)
    nodes.add(commands)
    people.add(commands)
    upkeep.add(commands)
    outside.add(commands, words)
    return parser
