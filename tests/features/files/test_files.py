"""Files: announced, received once, given by their address, and gone when they should be, on whatever store."""

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from hongyan import config
from hongyan.core.errors import Conflict, HongyanError, Invalid, NoRoom, NotFound, Overloaded, TooLarge
from hongyan.features.files import File, Files, contents
from hongyan.features.files import service as module
from tests.build import House, house

BEGIN = 1_700_000_000_000
DAY = 86_400_000


class Home:
    """Of alice and bob, on a clock that stands."""

    def __init__(self, built: House, directory: Path) -> None:
        self.house = built
        self.directory = directory
        self.now = BEGIN
        self.alice, self.bob = built.caller("alice"), built.caller("bob")
        self.files = self.with_settings()

    def with_settings(self, **settings: int) -> Files:
        chosen = config.Files(directory=self.directory, **{"largest": 4_000_000, "bytes_per_user": 9_000_000, **settings})
        return Files(self.house.store, config.Settings(files=chosen), clock=lambda: self.now, random=random.randbytes)

    async def put(self, content: bytes = b"hello", name: str = "a.txt") -> File:
        file = await self.files.announce(self.alice, name, len(content), "text/plain")
        await self.files.receive(file.id, file.name, len(content), parts(content))
        return file

    @property
    def there(self) -> set[str]:
        """Names of everything in the directory."""
        return {path.name for path in self.directory.rglob("*") if path.is_file()}


@pytest.fixture
async def home(place: Path | str, tmp_path: Path) -> AsyncIterator[Home]:
    async with house(place) as built:
        await built.add("alice", "bob")
        yield Home(built, tmp_path / "files")


async def parts(*all: bytes, fail: Exception | None = None) -> AsyncIterator[bytes]:
    for one in all:
        yield one
    if fail is not None:
        raise fail


async def test_a_file_comes_and_is_had_by_its_address(home: Home) -> None:
    content = random.randbytes(3_000_001)
    file = await home.files.announce(home.alice, "年报 2026.pdf", len(content), "application/pdf; x=1")
    assert (file.name, file.size, file.media_type, len(file.id)) == ("年报 2026.pdf", len(content), "application/pdf", 52)
    with pytest.raises(NotFound):
        await home.files.find(file.id, file.name)
    await home.files.receive(file.id, file.name, None, parts(content[:999_999], content[999_999:]))
    found, path = await home.files.find(file.id, file.name)
    assert found == file
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotFound):
        await home.files.find(file.id, "年报.exe")
    with pytest.raises(NotFound):
        await home.files.find(file.id[:-1] + ("a" if file.id[-1] != "a" else "b"), file.name)


@pytest.mark.parametrize(
    ("sent", "length", "error"),
    [
        ((b"hell",), None, Invalid),
        ((b"hello!",), None, TooLarge),
        ((b"hello",), 6, TooLarge),
        ((b"hello",), 4, Invalid),
        ((), None, Invalid),
    ],
    ids=["too few", "too many", "says more", "says less", "nothing"],
)
async def test_what_is_not_as_it_was_announced_is_not_kept_and_may_come_again(
    home: Home, sent: tuple[bytes, ...], length: int | None, error: type[HongyanError]
) -> None:
    file = await home.files.announce(home.alice, "a.txt", 5, "")
    with pytest.raises(error):
        await home.files.receive(file.id, file.name, length, parts(*sent))
    assert home.there == set()
    await home.files.receive(file.id, file.name, 5, parts(b"hello"))
    assert home.there == {file.id}


async def test_a_sender_who_goes_away_leaves_nothing(home: Home) -> None:
    file = await home.files.announce(home.alice, "a.txt", 5, "")
    with pytest.raises(ConnectionError):
        await home.files.receive(file.id, file.name, 5, parts(b"hel", fail=ConnectionError()))
    assert home.there == set()


async def test_a_file_is_never_replaced(home: Home) -> None:
    file = await home.put(b"first")
    with pytest.raises(Conflict):
        await home.files.receive(file.id, file.name, 5, parts(b"other"))
    twice = await home.files.announce(home.alice, "b.txt", 5, "")

    async def slow() -> AsyncIterator[bytes]:
        yield b"fir"
        await home.files.receive(twice.id, twice.name, 5, parts(b"other"))  # somebody is quicker
        yield b"st"

    with pytest.raises(Conflict):
        await home.files.receive(twice.id, twice.name, 5, slow())
    _, path = await home.files.find(twice.id, twice.name)
    assert path.read_bytes() == b"other"


async def test_bounds_of_one_file_and_of_one_person(home: Home) -> None:
    for size, error in ((0, Invalid), (-1, Invalid), (4_000_001, TooLarge)):
        with pytest.raises(error):
            await home.files.announce(home.alice, "a", size, "")
    for _ in range(2):
        await home.files.announce(home.alice, "a", 4_000_000, "")
    with pytest.raises(NoRoom, match="1000000 are left"):
        await home.files.announce(home.alice, "a", 1_000_001, "")
    await home.files.announce(home.alice, "a", 1_000_000, "")
    await home.files.announce(home.bob, "a", 4_000_000, "")
    few = home.with_settings(most=1)
    with pytest.raises(NoRoom, match="1 files"):
        await few.announce(home.bob, "b", 1, "")


async def test_many_announced_at_once_have_no_more_room_than_one_after_the_other(home: Home) -> None:
    asked = [home.files.announce(home.alice, "a", 1_000_000, "") for _ in range(20)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, File) for one in told) == 9
    assert sum(isinstance(one, NoRoom) for one in told) == 11


async def test_so_many_come_at_once_and_no_more(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OF_ONE", 1)
    first, second, other = [await home.files.announce(home.alice, "a", 1, "") for _ in range(2)] + [
        await home.files.announce(home.bob, "a", 1, "")
    ]

    async def meanwhile() -> AsyncIterator[bytes]:
        with pytest.raises(Overloaded):
            await home.files.receive(second.id, "a", 1, parts(b"x"))
        await home.files.receive(other.id, "a", 1, parts(b"x"))
        yield b"x"

    await home.files.receive(first.id, "a", 1, meanwhile())
    await home.files.receive(second.id, "a", 1, parts(b"x"))


async def test_a_full_disk_takes_no_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 268_435_500}))
    with pytest.raises(NoRoom, match="disk"):
        await home.files.announce(home.alice, "a", 100, "")


async def test_a_disk_that_fills_while_files_come_keeps_room_for_messages(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each had room when it was announced."""
    file = await home.files.announce(home.alice, "a.txt", 5, "")
    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 268_435_458}))
        with pytest.raises(NoRoom, match="disk"):
            await home.files.receive(file.id, file.name, 5, parts(b"hello"))
    assert home.there == set()
    await home.files.receive(file.id, file.name, 5, parts(b"hello"))


async def test_a_file_that_a_killed_process_has_kept_is_there_once_its_sender_tries_again(home: Home) -> None:
    file = await home.files.announce(home.alice, "a.txt", 5, "")
    path = home.directory / file.id[:2] / file.id
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"hello")
    with pytest.raises(Conflict):
        await home.files.receive(file.id, file.name, 5, parts(b"hello"))
    assert (await home.files.find(file.id, file.name))[1].read_bytes() == b"hello"


async def test_a_file_is_not_closed_while_a_thread_writes_to_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number could be that of the database by then."""
    began, may_go_on, closed = threading.Event(), threading.Event(), []

    class Slow(contents.Coming):
        def __init__(self, file: FileIO, *more: Any) -> None:
            def write(data: bytes) -> int:
                began.set()
                may_go_on.wait(10)
                closed.append(file.closed)
                return len(data)

            slow: Any = SimpleNamespace(write=write, close=file.close)
            super().__init__(slow, *more)

    monkeypatch.setattr(contents, "Coming", Slow)
    file = await home.files.announce(home.alice, "a.txt", 5, "")
    coming = asyncio.create_task(home.files.receive(file.id, file.name, 5, parts(b"hello")))
    await asyncio.to_thread(began.wait, 10)
    coming.cancel()
    await asyncio.wait([coming], timeout=0.1)
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await coming
    assert closed == [False]
    assert home.there == set()


async def test_a_disk_that_does_not_answer_holds_up_files_only(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(contents.Contents, "has_room", lambda self, size: answers.wait(10))
    many = [asyncio.create_task(home.files.announce(home.alice, "a.txt", 5, "")) for _ in range(40)]
    try:
        await asyncio.wait(many, timeout=0.1)
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: "something else") == "something else"
    finally:
        answers.set()
        await asyncio.gather(*many)


async def test_people_list_and_remove_their_own(home: Home) -> None:
    one, two = await home.put(b"1"), await home.put(b"22", "b.txt")
    await home.files.announce(home.alice, "never", 10, "")
    listed = await home.files.of("alice")
    assert ({file.id for file in listed.files}, listed.used, listed.most) == ({one.id, two.id}, 13, 9_000_000)
    assert (await home.files.of("bob")).files == []
    with pytest.raises(NotFound):
        await home.files.remove("bob", one.id)
    await home.files.remove("alice", one.id)
    assert home.there == {two.id}
    for refused in (home.files.remove("alice", one.id), home.files.find(one.id, one.name)):
        with pytest.raises(NotFound):
            await refused


async def test_a_file_that_is_removed_while_it_comes_is_not_there(home: Home) -> None:
    file = await home.files.announce(home.alice, "a.txt", 5, "")

    async def removed() -> AsyncIterator[bytes]:
        yield b"hel"
        await home.files.remove("alice", file.id)
        yield b"lo"

    with pytest.raises(NotFound):
        await home.files.receive(file.id, file.name, 5, removed())
    assert home.there == set()


async def test_what_never_came_and_what_is_old_goes(home: Home) -> None:
    kept, unused = await home.put(), await home.files.announce(home.alice, "b", 5, "")
    home.now += 301_000
    with pytest.raises(NotFound):
        await home.files.receive(unused.id, "b", 5, parts(b"hello"))
    assert (await home.files.of("alice")).used == 5
    await home.files.sweep()
    with pytest.raises(NotFound, match="not any more"):
        await home.files.receive(unused.id, "b", 5, parts(b"hello"))
    home.now += 400 * DAY
    await home.files.sweep()
    assert home.there == {kept.id}
    limited = home.with_settings(days=30)
    await limited.sweep()
    assert (home.there, (await limited.of("alice")).used) == (set(), 0)


async def test_contents_that_nobody_knows_go_after_a_day_and_nothing_else_does(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await home.put()
    unknown = "aa" + "b" * 50
    strange = home.directory / "aa" / "notes.txt"
    strange.parent.mkdir(exist_ok=True)
    elsewhere = home.directory / "notes"
    for path in (strange.with_name(unknown), strange, elsewhere):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))  # put back from a copy, as it was
    os.utime(home.directory / kept.id[:2] / kept.id, (0, 0))
    left = strange.with_name(f".{unknown}.0123abcd.partial")
    left.write_bytes(b"x")
    foreign = home.directory / "lost+found" / left.name
    foreign.parent.mkdir()
    foreign.write_bytes(b"x")
    await home.files.sweep()
    there = {kept.id, "notes.txt", "notes", foreign.name}
    assert home.there == there | {unknown}
    monkeypatch.setattr(contents, "time", SimpleNamespace(time=lambda: time.time() + 86_500))
    await home.files.sweep()
    assert home.there == there


async def test_a_content_that_is_gone_from_the_disk_is_not_found(home: Home) -> None:
    file = await home.put()
    (home.directory / file.id[:2] / file.id).unlink()
    with pytest.raises(NotFound):
        await home.files.find(file.id, file.name)


def test_settings_have_safe_defaults() -> None:
    defaults = msgspec.to_builtins(config.Files())
    assert {name: defaults[name] for name in ("largest", "days", "directory")} == {
        "largest": 104_857_600,
        "days": 0,
        "directory": None,
    }


def test_a_place_where_nothing_can_be_kept_is_told(tmp_path: Path) -> None:
    assert contents.Contents(tmp_path / "new").trouble() is None
    (tmp_path / "file").write_bytes(b"")
    assert str(tmp_path / "file") in (contents.Contents(tmp_path / "file").trouble() or "")
