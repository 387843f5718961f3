"""Write the story into a new data directory, as if it had happened: everything through the services, with the clock of then."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

from msgspec.structs import replace

import hongyan.features.tables  # noqa: F401  what is copied
from hongyan.bus.local import LocalBus
from hongyan.config import Settings
from hongyan.core.content import Text, encode_content
from hongyan.core.model import Caller
from hongyan.demo.story import ADMINISTRATOR, GROUPS, LINES, PEOPLE, Line
from hongyan.features.identity.service import Identity
from hongyan.messaging import LOBBY, Messaging
from hongyan.operation.directory import DataDirectory
from hongyan.operation.opening import sqlite_in
from hongyan.store import Appended, Draft, Refused, Store, migrate, sqlite_file
from hongyan.store.copy_sides import PostgresSide, SqliteSide
from hongyan.store.copying import copy
from hongyan.store.postgres_alone import InUse, alone, beside
from hongyan.store.postgres_connection import shown
from hongyan.store.sqlite_file import sync_directory

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_BEFORE = timedelta(seconds=20)
_OTHERS_SECONDS = 30.0
"""How long another node may take that makes it."""


async def is_new(directory: DataDirectory, settings: Settings) -> bool:
    """Whether there is nothing yet where the settings keep everything. Raises StoreUnavailable and WrongSchema."""
    if not settings.shares_store:
        return directory.is_new
    return not await _has_people(settings.store)


async def make(directory: DataDirectory, settings: Settings, now: datetime, random: Callable[[int], bytes]) -> str | None:
    """Make the organisation in a new store; gives what a person has to know, also kept in `demo.txt` of the data directory.

    It is built aside and put into place at the end: one that was interrupted leaves a store that is still new. None when another
    node was faster. Raises InUse when servers use the database already, CopyError when something else is in it.
    """
    building = DataDirectory(directory.path / "demo.new")
    if settings.shares_store:  # and others may build in the same directory
        building = DataDirectory(Path(mkdtemp(prefix="demo.new.", dir=directory.path)))
    else:
        shutil.rmtree(building.path, ignore_errors=True)
        building.path.mkdir(mode=0o700)
    try:
        words = password(random), password(random)
        await _build(building, settings, now.astimezone(), random, *words)
        text = _told(*words)
        with os.fdopen(os.open(building.demo, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if settings.shares_store:
            return text if await _into_database(building, directory, settings.store) else None
        for path in sorted(building.path.iterdir(), key=lambda path: path == building.database):  # it makes the others true
            path.replace(directory.path / path.name)
        sync_directory(directory.path)
        return text
    finally:
        shutil.rmtree(building.path, ignore_errors=True)


async def _into_database(building: DataDirectory, directory: DataDirectory, url: str) -> bool:
    """All of it in one transaction. False when there is an organisation already."""
    until = monotonic() + _OTHERS_SECONDS
    while True:
        try:
            await asyncio.to_thread(migrate.ready, url)
            async with alone(url) as connection, connection.transaction():
                if await _has_people(url):
                    return False
                with closing(sqlite_file.open_writer(building.database)) as access:
                    await copy(SqliteSide("the demonstration", access), PostgresSide(shown(url), connection))
                building.demo.replace(directory.demo)  # before the passwords in it are true: afterwards they could be lost
                sync_directory(directory.path)
            return True
        except InUse:  # by a node that makes it, or has made it
            if await _has_people(url):
                return False
            if monotonic() > until:
                raise


async def _has_people(url: str) -> bool:
    async with beside(url) as connection:
        if await connection.fetchval("SELECT to_regclass('public.users')") is None:
            return False
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM users)"))


def password(random: Callable[[int], bytes]) -> str:
    """Three groups of four characters that nobody confuses: 59 bits."""
    letters = [_ALPHABET[byte % len(_ALPHABET)] for byte in random(64) if byte < 256 - 256 % len(_ALPHABET)]
    return "-".join("".join(letters[at : at + 4]) for at in (0, 4, 8))


def _told(administrator: str, everybody: str) -> str:
    return (
        f"Administrator    {ADMINISTRATOR.account}    password {administrator}    (for the first log-in: choose another then)\n"
        f"Everybody else   {', '.join(person.account for person in PEOPLE)}\n"
        f"                 password {everybody}\n"
    )


async def _build(
    building: DataDirectory, settings: Settings, now: datetime, random: Callable[[int], bytes], administrator: str, everybody: str
) -> None:
    told = _Told(now)
    store = sqlite_in(building, settings)
    messaging = Messaging(store, LocalBus(), replace(settings, data=building.path), clock=told.milliseconds, random=random)
    identity = Identity(store, messaging.people, settings.identity, clock=told.milliseconds, random=random)
    await messaging.start()
    try:
        told.at(moment(now, max(line.day for line in LINES) + 1, "17:00"))
        await identity.add(ADMINISTRATOR.account, administrator, display=ADMINISTRATOR.name, admin=True, must_change=True)
        for person in PEOPLE:
            await identity.add(person.account, everybody, display=person.name)
        await _Telling(store, messaging, told).tell()
    finally:
        await identity.stop()
        await messaging.stop()


class _Told:
    """The clock of the story."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._moment = now

    def at(self, moment: datetime) -> None:
        self._moment = min(moment, self.now)

    def milliseconds(self) -> int:
        return int(self._moment.timestamp() * 1000)


def moment(now: datetime, day: int, at: str) -> datetime:
    """When a line was said: HH:MM on the working day that is `day` of them back, or `-N`, N minutes before now."""
    if at.startswith("-"):
        return now - timedelta(minutes=int(at[1:]))
    date = now.date()
    while day:
        date -= timedelta(days=1)
        day -= date.weekday() < 5
    return datetime.combine(date, time.fromisoformat(at)).astimezone()


class _Telling:
    def __init__(self, store: Store, messaging: Messaging, told: _Told) -> None:
        self._store = store
        self._messaging = messaging
        self._told = told
        self._names = {person.account: person.name for person in (ADMINISTRATOR, *PEOPLE)}
        self._ids = {LOBBY: LOBBY}

    async def tell(self) -> None:
        """Every line in its order, each conversation just before its first; then what each of them has read."""
        lines = sorted((moment(self._told.now, line.day, line.at), at) for at, line in enumerate(LINES))
        read: dict[tuple[str, str], int] = {}
        for when, at in lines:
            line = LINES[at]
            if line.where not in self._ids:
                self._told.at(when - _BEFORE)
                self._ids[line.where] = await self._open(line.where)
            self._told.at(when)
            seq = await self._say(line)
            for reader in _people_in(line.where):
                if line.day or reader == line.who:  # of today each has read only up to what they wrote
                    read[reader, line.where] = seq
        self._told.at(self._told.now)
        for (reader, where), seq in read.items():
            await self._messaging.receipts.read(self._caller(reader), self._ids[where], seq)

    async def _open(self, where: str) -> str:
        conversations = self._messaging.conversations
        for group in GROUPS:
            if group.key == where:
                owner = self._caller(group.members[0])
                return (await conversations.create_group(owner, group.title, group.members[1:], "all")).id
        one, other = where.split("+")
        return (await conversations.create_direct(self._caller(one), other))[0].id

    async def _say(self, line: Line) -> int:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def answered(result: Appended | Refused) -> None:
            if isinstance(result, Appended):
                done.set_result(result.seq)
            else:
                done.set_exception(result)

        content = encode_content(Text(line.text), 65_536)
        self._store.append(Draft(self._ids[line.where], "message", line.who, self._told.milliseconds(), content), answered)
        return await done

    def _caller(self, account: str) -> Caller:
        return Caller(account, self._names[account], account == ADMINISTRATOR.account, "demo", "demo")


def _people_in(where: str) -> Sequence[str]:
    if where == LOBBY:
        return [ADMINISTRATOR.account, *(person.account for person in PEOPLE)]
    return next((group.members for group in GROUPS if group.key == where), None) or where.split("+")
