"""Options that several commands take, and the settings that follow from them."""

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hongyan.cli.refused import Refused

if TYPE_CHECKING:
    from hongyan.config import Settings

Commands = Any
"""What `add_subparsers` gives; argparse has no public name for it."""


def add_place(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Where the data are. `again`: after the command, over what stood before it."""
    default = argparse.SUPPRESS if again else None
    parser.add_argument("--data", metavar="DIR", default=default, help="the data directory (default: ./data)")
    parser.add_argument(
        "--store",
        metavar="URL",
        default=default,
        help="where everything is kept: sqlite: (in DIR) or postgresql://USER@HOST:PORT/DB",
    )
    parser.add_argument("--config", metavar="FILE", default=default, help="settings, in TOML")


def settings_of(given: argparse.Namespace, **flags: str | None) -> "Settings":
    """The settings of the file, the environment and the flags. Raises Refused and SettingsError."""
    from hongyan.config import load

    named = {name.replace("__", "."): text for name, text in flags.items()}
    return load(Path(given.config) if given.config else None, os.environ, {"data": given.data, "store": given.store, **named})


def add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="the first line of standard input is the password (otherwise it is asked for)",
    )


def ask_password(given: argparse.Namespace) -> str:
    """From the standard input, or asked for twice. Raises Refused."""
    if given.password_stdin:
        try:
            password = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise Refused("The password on the standard input is not UTF-8 text") from None
        if not password:
            raise Refused("There is no password on the standard input: its first line is the password")
        return password
    if not sys.stdin.isatty():
        raise Refused("Without a terminal the password is read with --password-stdin")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise Refused("The two passwords are different; nothing was changed")
    return password
