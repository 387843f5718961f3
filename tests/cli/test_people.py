"""`hongyan user ...`, as typed: what it does to the accounts, what it prints, and how it refuses."""

import asyncio
import io
import json
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from hongyan.cli import main
from hongyan.cli.opening import accounts
from hongyan.config import Identity, Settings
from hongyan.core.errors import WrongPassword
from hongyan.core.model import Caller

GOOD = "wild goose 8440"


class Input(io.TextIOWrapper):
    terminal = False

    def isatty(self) -> bool:
        return self.terminal


class Run:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


Hongyan = Callable[..., Run]


@pytest.fixture
def hongyan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Hongyan]:
    """The command line on a data directory of its own."""
    monkeypatch.setenv("HONGYAN_IDENTITY_ITERATIONS", "4096")
    mask = os.umask(0o022)

    def run(*words: str, typed: str = "") -> Run:
        monkeypatch.setattr("sys.stdin", Input(io.BytesIO(typed.encode())))
        status = main(["--data", str(tmp_path / "data"), *words])
        got = capsys.readouterr()
        return Run(status, got.out, got.err)

    yield run
    os.umask(mask)


def logs_in(data: Path, name: str, password: str) -> bool:
    async def attempt() -> bool:
        settings = Settings(data=data, identity=Identity(iterations=4096))
        async with accounts(settings, may_make=False) as opened:
            try:
                await opened.identity.login(name, password, "test", "127.0.0.1")
            except WrongPassword:
                return False
            return True

    return asyncio.run(attempt())


def test_an_account_is_made_in_a_new_private_directory(hongyan: Hongyan, tmp_path: Path) -> None:
    done = hongyan("user", "add", "LiHua", "--name", "李华", "--password-stdin", typed=f"{GOOD}\n")
    assert (done.status, done.out) == (0, "lihua\n")
    assert logs_in(tmp_path / "data", "lihua", GOOD)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "hongyan.db").stat().st_mode) == 0o600


def test_the_list_tells_who_there_is(hongyan: Hongyan) -> None:
    hongyan("user", "add", "lihua", "--name", "李华", "--password-stdin", typed=GOOD)
    hongyan("user", "add", "root", "--admin", "--password-stdin", typed=GOOD)
    hongyan("user", "disable", "lihua")
    shown = hongyan("user", "list").out.splitlines()
    assert shown[0].split() == ["account", "name", "since"]
    assert shown[1].split()[:2] == ["lihua", "李华"]
    assert shown[1].endswith("disabled")
    assert shown[2].endswith("admin")
    listed = json.loads(hongyan("user", "list", "--json").out)
    assert [(one["id"], one["name"], one["admin"], one["disabled"]) for one in listed] == [
        ("lihua", "李华", False, True),
        ("root", "root", True, False),
    ]
    assert listed[0]["change_password"] is True


def test_columns_stand_under_each_other_with_chinese_names(hongyan: Hongyan) -> None:
    hongyan("user", "add", "a", "--name", "诸葛孔明", "--password-stdin", typed=GOOD)
    hongyan("user", "add", "b", "--name", "Li", "--password-stdin", typed=GOOD)
    _, wide, narrow = hongyan("user", "list").out.splitlines()
    assert wide.index("20") + 4 == narrow.index("20")  # four characters of two columns each


def test_a_new_password_takes_the_place_of_the_old_one(hongyan: Hongyan, tmp_path: Path) -> None:
    hongyan("user", "add", "lihua", "--password-stdin", typed=GOOD)
    assert hongyan("user", "passwd", "lihua", "--password-stdin", typed="another one 1\n").status == 0
    assert not logs_in(tmp_path / "data", "lihua", GOOD)
    assert logs_in(tmp_path / "data", "lihua", "another one 1")


def test_a_disabled_account_cannot_log_in_until_it_is_enabled(hongyan: Hongyan, tmp_path: Path) -> None:
    hongyan("user", "add", "lihua", "--password-stdin", typed=GOOD)
    assert hongyan("user", "disable", "lihua").status == 0
    assert not logs_in(tmp_path / "data", "lihua", GOOD)
    assert hongyan("user", "enable", "lihua").status == 0
    assert logs_in(tmp_path / "data", "lihua", GOOD)


def test_a_display_name_can_be_changed(hongyan: Hongyan) -> None:
    hongyan("user", "add", "lihua", "--password-stdin", typed=GOOD)
    assert hongyan("user", "rename", "lihua", "--name", "李华").status == 0
    assert json.loads(hongyan("user", "list", "--json").out)[0]["name"] == "李华"


def test_many_are_imported_with_their_passwords(hongyan: Hongyan, tmp_path: Path) -> None:
    people = tmp_path / "people"
    people.write_text("# who comes on Monday\nlina correct horse\n\nwanglei  battery staple\n")
    done = hongyan("user", "import", str(people))
    assert (done.status, done.err) == (0, "2 accounts were made\n")
    assert logs_in(tmp_path / "data", "lina", "correct horse")
    assert logs_in(tmp_path / "data", "wanglei", "battery staple")


def test_an_import_with_tokens_writes_them_for_the_owner_only(hongyan: Hongyan, tmp_path: Path) -> None:
    out = tmp_path / "tokens"
    done = hongyan("user", "import", "-", "--tokens", str(out), typed="lina correct horse\nwanglei battery staple\n")
    assert done.status == 0
    lines = [line.split(" ") for line in out.read_text().splitlines()]
    assert [name for name, _ in lines] == ["lina", "wanglei"]
    assert all(token.startswith("hy_") for _, token in lines)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not logs_in(tmp_path / "data", "lina", "correct horse")


def test_tokens_in_place_of_a_file_that_others_may_read_are_for_the_owner_only(hongyan: Hongyan, tmp_path: Path) -> None:
    out = tmp_path / "tokens"
    out.write_text("of last year\n")
    out.chmod(0o644)
    with out.open() as reader:
        assert hongyan("user", "import", "-", "--tokens", str(out), typed="lina correct horse\n").status == 0
        assert reader.read() == "of last year\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_text().startswith("lina hy_")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "tokens"]


@pytest.mark.parametrize("place", ["nowhere/tokens", "data", "/dev/null"])
def test_where_tokens_cannot_be_written_nobody_is_made(hongyan: Hongyan, tmp_path: Path, place: str) -> None:
    hongyan("user", "add", "first", "--password-stdin", typed=GOOD)
    done = hongyan("user", "import", "-", "--tokens", str(tmp_path / place), typed="lina correct horse\n")
    assert done.status == 1
    assert done.err.startswith(f"hongyan: {tmp_path / place} ")
    assert [one["id"] for one in json.loads(hongyan("user", "list", "--json").out)] == ["first"]


def test_an_import_that_is_refused_leaves_the_old_tokens(hongyan: Hongyan, tmp_path: Path) -> None:
    out = tmp_path / "tokens"
    out.write_text("of last year\n")
    hongyan("user", "add", "lina", "--password-stdin", typed=GOOD)
    assert hongyan("user", "import", "-", "--tokens", str(out), typed="lina correct horse\n").status == 1
    assert out.read_text() == "of last year\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "tokens"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lina\n", "line 1: expected an account name, a space and a password"),
        ("lina correct horse\nwanglei   \n", "line 2"),
        ("", "names nobody"),
        ("lina short\n", "at least 8 characters"),
        ("lina correct horse\nlina correct horse\n", "twice"),
    ],
)
def test_a_wrong_import_makes_nobody(hongyan: Hongyan, text: str, told: str) -> None:
    hongyan("user", "add", "first", "--password-stdin", typed=GOOD)
    done = hongyan("user", "import", "-", typed=text)
    assert done.status == 1
    assert told in done.err
    assert [one["id"] for one in json.loads(hongyan("user", "list", "--json").out)] == ["first"]


@pytest.mark.parametrize(
    ("words", "typed", "told"),
    [
        (["user", "add", "first", "--password-stdin"], GOOD, "The name first is taken"),
        (["user", "add", "second", "--password-stdin"], "short", "at least 8 characters"),
        (["user", "add", "second", "--password-stdin"], "", "no password on the standard input"),
        (["user", "add", "second"], GOOD, "--password-stdin"),
        (["user", "add", "a:b", "--password-stdin"], GOOD, "cannot contain :"),
        (["user", "add", "second", "--name", " ", "--password-stdin"], GOOD, "display name"),
        (["user", "passwd", "nobody", "--password-stdin"], GOOD, "There is no user nobody"),
        (["user", "disable", "nobody"], "", "There is no user nobody"),
        (["user", "enable", "nobody"], "", "There is no user nobody"),
        (["user", "rename", "nobody", "--name", "x"], "", "There is no user nobody"),
        (["user", "import", "/nowhere/people"], "", "/nowhere/people: No such file"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(hongyan: Hongyan, words: list[str], typed: str, told: str) -> None:
    hongyan("user", "add", "first", "--password-stdin", typed=GOOD)
    done = hongyan(*words, typed=typed)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("hongyan: ")
    assert told in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [["list"], ["disable", "x"], ["passwd", "x", "--password-stdin"], ["rename", "x", "--name", "y"]]
)
def test_without_data_nothing_is_made_by_a_command_that_only_changes(hongyan: Hongyan, tmp_path: Path, words: list[str]) -> None:
    done = hongyan("user", *words, typed=GOOD)
    assert done.status == 1
    assert "--data DIR" in done.err
    assert not (tmp_path / "data").exists()


def test_a_password_is_asked_for_twice_on_a_terminal(hongyan: Hongyan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return GOOD if len(asked) != 4 else "something else"

    monkeypatch.setattr("getpass.getpass", getpass)
    monkeypatch.setattr(Input, "terminal", True)
    assert hongyan("user", "add", "lihua").status == 0
    assert logs_in(tmp_path / "data", "lihua", GOOD)
    assert "different" in hongyan("user", "passwd", "lihua").err


def test_files_of_an_account_are_shown_and_removed(tmp_path: Path, hongyan: Hongyan) -> None:
    hongyan("user", "add", "lihua", "--password-stdin", typed=GOOD)

    async def put(*contents: bytes) -> list[str]:
        async with accounts(Settings(data=tmp_path / "data"), may_make=False) as opened:
            made = []
            for content in contents:
                caller = Caller("lihua", "lihua", False, "token", "laptop")
                file = await opened.files.announce(caller, "年报.pdf", len(content), "")

                async def parts(content: bytes = content) -> AsyncIterator[bytes]:
                    yield content

                await opened.files.receive(file.id, file.name, None, parts())
                made.append(file.id)
            return made

    one, two, three = asyncio.run(put(b"1", b"22", b"333"))
    hongyan("user", "disable", "lihua")
    shown = hongyan("user", "files", "lihua")
    assert shown.status == 0
    assert {line.split()[0] for line in shown.out.splitlines()} == {"id", one, two, three}
    assert "年报.pdf" in shown.out
    assert shown.err.startswith("6 of ")
    assert {file["id"] for file in json.loads(hongyan("user", "files", "lihua", "--remove", two, "--json").out)} == {one, three}
    assert not (tmp_path / "data" / "files" / two[:2] / two).exists()
    refused = hongyan("user", "files", "lihua", "--remove", two)
    assert (refused.status, "no such file" in refused.err) == (1, True)
    assert json.loads(hongyan("user", "files", "lihua", "--remove-all", "--json").out) == []
    assert not any(path.is_file() for path in (tmp_path / "data" / "files").rglob("*"))
    assert hongyan("user", "files", "nobody").status == 1
