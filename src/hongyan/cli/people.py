"""`hongyan user ...`: accounts, in the data directory itself, while the server runs or not."""

import argparse
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar
from unicodedata import east_asian_width

from hongyan.cli.options import Commands, add_password, ask_password, settings_of
from hongyan.cli.refused import Refused

if TYPE_CHECKING:
    from hongyan.cli.opening import Accounts
    from hongyan.features.files import FileList

T = TypeVar("T")


def add(commands: Commands) -> None:
    parser = commands.add_parser("user", help="the people of the server", allow_abbrev=False)
    below = parser.add_subparsers(metavar="COMMAND", required=True)

    one = _command(below, "add", _add, "make an account")
    one.add_argument("--name", metavar="TEXT", help="display name (default: the account name)")
    one.add_argument("--admin", action="store_true", help="make an administrator")
    add_password(one)

    one = _command(below, "passwd", _passwd, "set a new password and end every token of the account")
    add_password(one)

    one = _command(below, "list", _list, "show all accounts", named=False)
    one.add_argument("--json", action="store_true", help="one JSON array")

    _command(below, "disable", _disable, "end every token of an account and let nobody log in to it")
    _command(below, "enable", _enable, "let a disabled account log in again")

    one = _command(below, "rename", _rename, "change the display name")
    one.add_argument("--name", metavar="TEXT", required=True, help="the new display name")

    one = _command(below, "files", _files, "show the files that an account has put on the server, or remove some")
    one.add_argument("--remove", metavar="ID", action="append", default=[], help="remove this one; may be repeated")
    one.add_argument("--remove-all", action="store_true", help="remove all of them")
    one.add_argument("--json", action="store_true", help="one JSON array")

    one = _command(below, "import", _import, "make many accounts at once", named=False)
    one.add_argument("file", metavar="FILE", help="a line for each: account name, a space, password; `-` is the standard input")
    one.add_argument(
        "--tokens",
        metavar="FILE",
        help="give each of them a token instead of the password and write names and tokens there",
    )


def _command(
    below: Commands, name: str, work: Callable[[argparse.Namespace], int], told: str, *, named: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = below.add_parser(name, help=told, description=told.capitalize() + ".", allow_abbrev=False)
    if named:
        parser.add_argument("account", metavar="NAME", help="account name")
    parser.set_defaults(run=work)
    return parser


def _do(given: argparse.Namespace, work: "Callable[[Accounts], Awaitable[T]]", *, may_make: bool = False) -> T:
    import asyncio

    from hongyan.cli.opening import accounts

    async def run() -> T:
        async with accounts(settings_of(given), may_make=may_make) as opened:
            return await work(opened)

    return asyncio.run(run())


def _add(given: argparse.Namespace) -> int:
    password = ask_password(given)
    user = _do(
        given,
        lambda opened: opened.identity.add(given.account, password, display=given.name, admin=given.admin, must_change=True),
        may_make=True,
    )
    print(user)
    return 0


def _passwd(given: argparse.Namespace) -> int:
    password = ask_password(given)
    _do(given, lambda opened: opened.identity.set_password(given.account, password, must_change=True))
    return 0


def _disable(given: argparse.Namespace) -> int:
    _do(given, lambda opened: opened.identity.disable(given.account))
    return 0


def _enable(given: argparse.Namespace) -> int:
    _do(given, lambda opened: opened.identity.enable(given.account))
    return 0


def _rename(given: argparse.Namespace) -> int:
    _do(given, lambda opened: _renamed(opened, given.account, given.name))
    return 0


async def _renamed(opened: "Accounts", account: str, name: str) -> None:
    from hongyan.core import text
    from hongyan.messaging import now_ms

    await opened.people.rename(text.account_name(account), text.display_name(name), now_ms())


def _list(given: argparse.Namespace) -> int:
    accounts = _do(given, lambda opened: opened.identity.list())
    if given.json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(accounts), ensure_ascii=False, indent=2))
        return 0
    table = [("account", "name", "since", "")]
    for account in accounts:
        marks = [word for word, on in (("admin", account.admin), ("disabled", account.disabled)) if on]
        table.append((account.id, account.name, _day(account.created), " ".join(marks)))
    _print(table)
    return 0


def _print(table: Sequence[tuple[str, ...]]) -> None:
    """In columns; the last is as wide as it is."""
    widths = [max(_width(cell) for cell in column) for column in list(zip(*table, strict=True))[:-1]]
    for row in table:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())


def _day(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")


def _files(given: argparse.Namespace) -> int:
    found = _do(given, lambda opened: _files_left(opened, given.account, given.remove, all=given.remove_all))
    if given.json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(found.files), ensure_ascii=False, indent=2))
        return 0
    _print([("id", "since", "bytes", "name"), *((one.id, _day(one.created), str(one.size), one.name) for one in found.files)])
    print(f"{found.used} of {found.most} bytes", file=sys.stderr)
    return 0


async def _files_left(opened: "Accounts", account: str, ids: list[str], *, all: bool) -> "FileList":
    user = (await opened.people.get(account)).id
    for id in [one.id for one in (await opened.files.of(user)).files] if all else ids:
        await opened.files.remove(user, id)
    return await opened.files.of(user)


def _import(given: argparse.Namespace) -> int:
    people = _read(given.file)
    if given.tokens:
        _do(given, lambda opened: _imported_with_tokens(opened, people, Path(given.tokens)), may_make=True)
    else:
        _do(given, lambda opened: opened.identity.import_accounts(people, False), may_make=True)
    print(f"{len(people)} accounts were made", file=sys.stderr)
    return 0


async def _imported_with_tokens(opened: "Accounts", people: list[tuple[str, str]], target: Path) -> None:
    with _private(target) as out:
        made = await opened.identity.import_accounts(people, True)
        out.writelines(f"{name} {token}\n" for name, token in made)


@contextmanager
def _private(target: Path) -> Iterator[TextIO]:
    """A new file that only its owner can ever read; it takes the place of `target` when everything is in it.

    That it can be made is known before the accounts are: their tokens are told once.
    """
    from hongyan.store.partial import partial

    if target.exists() and not target.is_file():
        raise Refused(f"{target} is not a file")
    with ExitStack() as held:
        try:
            made = held.enter_context(partial(target))
        except OSError as error:
            raise Refused(f"{target} cannot be written: {error.strerror}") from error
        with made.open("w", encoding="utf-8") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        made.replace(target)


def _read(file: str) -> list[tuple[str, str]]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8 text") from None
    people = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, password = line.strip().partition(" ")
        if not password.strip():
            raise Refused(f"{file}, line {number}: expected an account name, a space and a password")
        people.append((name, password.strip()))
    if not people:
        raise Refused(f"{file} names nobody")
    return people


def _width(text: str) -> int:
    """Columns in a terminal: a Chinese character takes two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
