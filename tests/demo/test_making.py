"""The demonstration organisation: believable, complete, and never half made."""

import asyncio
import secrets
import sqlite3
import stat
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hongyan.bus.local import LocalBus
from hongyan.config import Identity as IdentitySettings
from hongyan.config import Settings
from hongyan.core.errors import WrongPassword
from hongyan.core.model import Caller
from hongyan.demo import is_new, make, making
from hongyan.demo.making import moment, password
from hongyan.demo.story import ADMINISTRATOR, GROUPS, LINES, PEOPLE
from hongyan.features.identity import Identity
from hongyan.messaging import LOBBY, Messaging
from hongyan.operation.directory import DataDirectory
from hongyan.operation.opening import sqlite_in, store_of
from hongyan.store.postgres_alone import InUse

NOW = datetime(2026, 3, 4, 15, 30).astimezone()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    DataDirectory(tmp_path / "data").prepare()
    return Settings(data=tmp_path / "data", identity=IdentitySettings(iterations=4096))


@pytest.fixture
def directory(settings: Settings) -> DataDirectory:
    return DataDirectory(settings.data)


def events(directory: DataDirectory) -> Iterator[tuple[str, str, str, int, dict[str, Any]]]:
    with closing(sqlite3.connect(directory.database)) as db:
        for lane, type, sender, time, content in db.execute(
            "SELECT lane, type, sender, time, content FROM events ORDER BY position"
        ):
            yield lane, type, sender, time, msgspec.json.decode(content)


async def test_everybody_can_log_in_with_what_was_told(settings: Settings, directory: DataDirectory) -> None:
    told = await make(directory, settings, NOW, secrets.token_bytes)
    assert told is not None
    words = told.split()
    one_time, shared = words[words.index("password") + 1], words[-1]
    store = sqlite_in(directory, settings)
    messaging = Messaging(store, LocalBus(), settings)
    identity = Identity(store, messaging.people, settings.identity)
    await messaging.start()
    try:
        admin = await identity.login(ADMINISTRATOR.account, one_time, "test", "127.0.0.1")
        assert (admin.name, admin.change_password) == (ADMINISTRATOR.name, True)
        for person in PEOPLE:
            login = await identity.login(person.account, shared, "test", "127.0.0.1")
            assert (login.name, login.change_password) == (person.name, False)
        with pytest.raises(WrongPassword):
            await identity.login(ADMINISTRATOR.account, shared, "test", "127.0.0.1")
        listed = (await messaging.conversations.snapshot(Caller("admin", "", True, "t", "d"))).conversations
        assert {view.title for view in listed if view.kind == "group"} >= {"大厅", "新版官网上线"}
        assert any(view.kind == "direct" for view in listed)
        lobby = next(view for view in listed if view.id == LOBBY)
        assert lobby.member_count == len(PEOPLE) + 1
        assert 0 < lobby.unread < 10  # of today; the days before were read
    finally:
        await identity.stop()
        await messaging.stop()


async def test_what_was_told_is_kept_for_the_owner_only(settings: Settings, directory: DataDirectory) -> None:
    told = await make(directory, settings, NOW, secrets.token_bytes)
    assert directory.demo.read_text(encoding="utf-8") == told
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in directory.path.iterdir())
    assert {path.name for path in directory.path.iterdir()} == {"hongyan.db", "demo.txt"}


async def test_history_is_in_the_past_and_in_order(settings: Settings, directory: DataDirectory) -> None:
    await make(directory, settings, NOW, secrets.token_bytes)
    times = [time / 1000 for _, _, _, time, _ in events(directory)]
    assert times == sorted(times)
    assert times[-1] <= NOW.timestamp()
    assert NOW.timestamp() - times[0] > 5 * 86_400
    said = [content["text"] for _, type, _, _, content in events(directory) if type == "message"]
    assert sorted(said) == sorted(line.text for line in LINES)


async def test_only_members_speak_and_only_after_the_conversation_began(settings: Settings, directory: DataDirectory) -> None:
    await make(directory, settings, NOW, secrets.token_bytes)
    members: dict[str, set[str]] = defaultdict(set)
    for lane, type, sender, _, content in events(directory):
        if type == "create":
            members[lane] |= {one["id"] for one in content["members"]}
        elif type == "member":
            members[lane] |= {one["id"] for one in content["users"]}
        elif type == "message":
            assert sender in members[lane]


async def test_no_password_is_in_the_store(settings: Settings, directory: DataDirectory) -> None:
    told = await make(directory, settings, NOW, secrets.token_bytes)
    assert told is not None
    stored = directory.database.read_bytes()
    words = told.split()
    assert words[words.index("password") + 1].encode() not in stored
    assert words[-1].encode() not in stored


async def test_one_that_was_interrupted_is_made_again(
    settings: Settings, directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def broken(self: Path, target: Path) -> Path:
            raise OSError("power cut")

        patch.setattr(Path, "replace", broken)
        with pytest.raises(OSError, match="power cut"):
            await make(directory, settings, NOW, secrets.token_bytes)
    assert directory.is_new
    told = await make(directory, settings, NOW, secrets.token_bytes)
    assert told is not None
    assert not directory.is_new
    assert directory.demo.read_text(encoding="utf-8") == told


def test_working_days_are_counted_back_over_the_weekend() -> None:
    monday = datetime(2026, 3, 2, 8, 0).astimezone()
    assert moment(monday, 1, "17:00") == datetime(2026, 2, 27, 17, 0).astimezone()
    assert moment(monday, 2, "09:00") == datetime(2026, 2, 26, 9, 0).astimezone()
    assert moment(monday, 0, "-90") == monday - timedelta(minutes=90)


def test_passwords_are_different_and_long_enough() -> None:
    made = {password(secrets.token_bytes) for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 14 for one in made)


def test_the_story_names_only_people_it_has() -> None:
    accounts = {ADMINISTRATOR.account, *(person.account for person in PEOPLE)}
    groups = {group.key for group in GROUPS} | {LOBBY}
    assert {line.who for line in LINES} <= accounts
    assert all(set(group.members) <= accounts for group in GROUPS)
    for line in LINES:
        assert line.where in groups or (set(line.where.split("+")) <= accounts and line.who in line.where.split("+"))


async def test_several_nodes_that_come_to_an_empty_database_make_it_once(postgresql_url: str, tmp_path: Path) -> None:
    nodes = []
    for name in ("one", "two", "three"):
        directory = DataDirectory(tmp_path / name)
        directory.prepare()
        nodes.append(
            (directory, Settings(data=tmp_path / name, store=postgresql_url, identity=IdentitySettings(iterations=4096)))
        )
    assert all([await is_new(directory, settings) for directory, settings in nodes])
    told = await asyncio.gather(*(make(directory, settings, NOW, secrets.token_bytes) for directory, settings in nodes))
    (directory, settings, words), *more = [(*node, text) for node, text in zip(nodes, told, strict=True) if text]
    assert more == []
    assert directory.demo.read_text(encoding="utf-8") == words
    for other, same in nodes:
        assert {path.name for path in other.path.iterdir()} == ({"demo.txt"} if other is directory else set())
        assert not await is_new(other, same)
        assert await make(other, same, NOW, secrets.token_bytes) is None
    store = store_of(settings)
    messaging = Messaging(store, LocalBus(), settings)
    identity = Identity(store, messaging.people, settings.identity)
    await messaging.start()
    try:
        login = await identity.login(PEOPLE[0].account, words.split()[-1], "test", "127.0.0.1")
        assert login.name == PEOPLE[0].name
        assert len(await store.log_after(0, 1000)) == messaging.log.head > len(LINES)
    finally:
        await identity.stop()
        await messaging.stop()


async def test_it_is_not_made_beside_a_server_that_uses_the_database(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_OTHERS_SECONDS", 0.1)
    settings = Settings(data=tmp_path, store=postgresql_url)
    store = store_of(settings)
    await store.start(lambda batch: None)
    try:
        with pytest.raises(InUse, match="Stop those servers"):
            await make(DataDirectory(tmp_path), settings, NOW, secrets.token_bytes)
    finally:
        await store.close()
    assert list(tmp_path.iterdir()) == []
