"""Files: announced by their owner, received once, given to whoever knows their address, and removed when their time is over.

An address is a capability (XEP-0363, section 12): 256 random bits. Nobody is asked who they are, since who is sent it may be of
another server.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from hongyan import config
from hongyan.core.errors import Conflict, Invalid, NoRoom, NotFound, Overloaded, TooLarge
from hongyan.core.ids import id_from_bits
from hongyan.core.model import Caller, user_lane
from hongyan.features.files.contents import Coming, Contents
from hongyan.features.files.model import File, FileList
from hongyan.features.files.names import safe_name, safe_type
from hongyan.features.files.tables import files
from hongyan.store import Store, Transaction

log = logging.getLogger("hongyan.files")

_ID_BYTES = 32
_ID_LENGTH = 52
_SLOT_SECONDS = 300.0
"""From the announcement of a file until its first byte."""
_WRITTEN = 262_144
"""Bytes that are written to the disk together."""
_OF_ONE = 5
"""Files of one user that may be coming to this process."""
_THREADS = 4
"""That wait for the disk: one that is slow, or somewhere in the network, holds up nothing but files."""
_SWEEP_SECONDS = 3_600.0
_SWEPT = 500
_DAY = 86_400_000

T = TypeVar("T")

_c = files.c
_FILE = (_c.id, _c.name, _c.size, _c.media_type, _c.created)


class Files:
    def __init__(
        self,
        store: Store,
        settings: config.Settings,
        *,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        sweep_seconds: float = _SWEEP_SECONDS,
    ) -> None:
        """`clock` gives milliseconds since 1970."""
        self._store = store
        self._settings = settings.files
        self._contents = Contents(settings.files.directory or settings.data / "files")
        self._clock = clock
        self._random = random
        self._sweep_seconds = sweep_seconds
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="hongyan-files")
        self._coming: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self.received = 0
        """Files, since the start."""
        self.trouble: str | None = None
        """Why none can be kept, as of the last look."""

    @property
    def coming(self) -> int:
        """Files that are on their way to this process."""
        return self._coming.total()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="hongyan files")

    async def stop(self) -> None:
        """When nobody announces or sends any more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._threads.shutdown(wait=False)

    async def announce(self, caller: Caller, name: str, size: int, media_type: str) -> File:
        """A file of the caller that is about to come, under a harmless name. Raises Invalid, TooLarge, NoRoom."""
        if size < 1:
            raise Invalid("A file has at least one byte")
        if size > self._settings.largest:
            raise TooLarge(f"A file may have {self._settings.largest} bytes")
        await self._on_disk(self._require_room, size)
        file = File(id_from_bits(self._random(_ID_BYTES)), safe_name(name), size, safe_type(media_type), self._clock())
        await self._store.transaction(lambda tx: self._reserve(tx, caller.user, file), scope=user_lane(caller.user))
        return file

    async def receive(self, id: str, name: str, length: int | None, parts: AsyncIterator[bytes]) -> File:
        """The content of one that was announced. `length` is what its sender says it is, if they do.

        Raises NotFound, Conflict when it is there already, Invalid, TooLarge, NoRoom, Overloaded; what `parts` raises ends it.
        """
        file, owner, received = await self._find(id, name)
        if received:
            raise Conflict("This file is here already")
        if self._clock() - file.created > _SLOT_SECONDS * 1000:
            raise NotFound("The time to send this file is over; announce it again")
        if length is not None and length != file.size:
            raise _other_size(file, length)
        if self.coming >= self._settings.at_once or self._coming[owner] >= _OF_ONE:
            raise Overloaded("Too many files are coming", retry_after=5.0)
        self._coming[owner] += 1
        try:
            await self._store.transaction(partial(self._begin, id=id), scope=user_lane(owner))
            await self._take(file, owner, parts)
        finally:
            self._coming -= Counter((owner,))
        self.received += 1
        return file

    async def find(self, id: str, name: str) -> tuple[File, Path]:
        """One that is here, and where its content is. Raises NotFound."""
        file, _, received = await self._find(id, name)
        path = self._contents.at(file.id)
        if not received or not await self._on_disk(path.is_file):
            raise NotFound("There is no such file, or not any more")
        return file, path

    async def of(self, user: str) -> FileList:
        """Somebody's."""

        def read(connection: Connection) -> FileList:
            mine = select(*_FILE).where(_c.owner == user, _c.received.is_not(None))
            rows = connection.execute(mine.order_by(_c.created.desc(), _c.id).limit(self._settings.most))
            found = [File(*row) for row in rows]
            return FileList(found, self._used(connection, user)[0], self._settings.bytes_per_user)

        return await self._store.read(read)

    async def remove(self, user: str, id: str) -> None:
        """One of somebody's; its address leads nowhere from then on. Raises NotFound."""

        def write(tx: Transaction) -> int:
            return tx.connection.execute(delete(files).where(_c.id == id, _c.owner == user)).rowcount

        if not await self._store.transaction(write, scope=user_lane(user)):
            raise NotFound("There is no such file of this account")
        await self._on_disk(self._contents.remove, id)

    async def sweep(self) -> None:
        """Remove what was announced and never came, what is too old, and contents that nobody knows."""
        while late := await self._store.read(self._late):
            gone = await self._store.transaction(partial(self._expire, late=late), scope="files")
            await self._on_disk(self._remove, gone)
        folders = self._contents.old()
        while (ids := await self._on_disk(next, folders, None)) is not None:
            for at in range(0, len(ids), _SWEPT):
                some = ids[at : at + _SWEPT]
                known = await self._store.read(partial(_known, ids=some))
                await self._on_disk(self._remove, set(some) - known)

    async def _on_disk(self, fn: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, fn, *args)

    def _reserve(self, tx: Transaction, user: str, file: File) -> None:
        used, count = self._used(tx.connection, user)
        if used + file.size > self._settings.bytes_per_user:
            left = max(0, self._settings.bytes_per_user - used)
            raise NoRoom(f"Your files may have {self._settings.bytes_per_user} bytes; {left} are left: remove some first")
        if count >= self._settings.most:
            raise NoRoom(f"You may have {self._settings.most} files; remove some first")
        row = dict(id=file.id, owner=user, name=file.name, media_type=file.media_type, size=file.size, created=file.created)
        tx.connection.execute(insert(files).values(row))

    async def _find(self, id: str, name: str) -> tuple[File, str, bool]:
        """Whose it is, and whether it has come. The name has to be its own: nobody makes an address that says another."""
        if len(id) != _ID_LENGTH:
            raise NotFound("There is no such file")
        row = await self._store.read(lambda c: c.execute(select(*_FILE, _c.owner, _c.received).where(_c.id == id)).one_or_none())
        if row is None or row.name != name:
            raise NotFound("There is no such file, or not any more")
        return File(*row[:-2]), row.owner, row.received is not None

    async def _take(self, file: File, owner: str, parts: AsyncIterator[bytes]) -> None:
        stack = ExitStack()
        try:
            coming = await self._on_disk(stack.enter_context, self._contents.coming(file.id))
            size = await self._write(file, coming, parts)
            if size != file.size:
                raise _other_size(file, size)
            kept = await self._on_disk(coming.keep)
        finally:
            await self._on_disk(stack.close)
        # Also what a process that was killed has kept, before the row said so: it is whole.
        here = await self._store.transaction(lambda tx: self._received(tx, file.id), scope=user_lane(owner))
        if not here:
            await self._on_disk(self._contents.remove, file.id)
            raise NotFound("This file was removed while it came")
        if not kept:
            raise Conflict("This file is here already")

    async def _write(self, file: File, coming: Coming, parts: AsyncIterator[bytes]) -> int:
        size, waiting = 0, bytearray()
        async for part in parts:
            size += len(part)
            if size > file.size:
                raise _other_size(file, size)
            waiting += part
            if len(waiting) >= _WRITTEN:
                await self._on_disk(self._put, coming, bytes(waiting))
                waiting.clear()
        await self._on_disk(self._put, coming, bytes(waiting))
        return size

    def _put(self, coming: Coming, data: bytes) -> None:
        self._require_room(len(data))  # there was for each that was announced, and maybe not for all of them
        coming.write(data)

    def _require_room(self, size: int) -> None:
        if not self._contents.has_room(size):
            raise NoRoom("The disk of the server is nearly full")

    def _begin(self, tx: Transaction, *, id: str) -> None:
        tx.connection.execute(update(files).where(_c.id == id).values(begun=self._clock()))

    def _received(self, tx: Transaction, id: str) -> bool:
        return tx.connection.execute(update(files).where(_c.id == id).values(received=self._clock())).rowcount > 0

    def _unused(self) -> ColumnElement[bool]:
        """Announced, and not begun in time."""
        return and_(_c.begun.is_(None), _c.created < self._clock() - _SLOT_SECONDS * 1000)

    def _used(self, connection: Connection, user: str) -> tuple[int, int]:
        """Bytes of somebody's files, and how many there are; with those that may still come."""
        mine = select(func.coalesce(func.sum(_c.size), 0), func.count()).where(_c.owner == user, ~self._unused())
        row = connection.execute(mine).one()
        return int(row[0]), int(row[1])

    def _over(self) -> ColumnElement[bool]:
        now = self._clock()
        late = round((_SLOT_SECONDS + self._settings.receive_seconds) * 1000)
        over = or_(self._unused(), and_(_c.received.is_(None), _c.created < now - late))
        if self._settings.days:
            over = or_(over, _c.created < now - self._settings.days * _DAY)
        return over

    def _late(self, connection: Connection) -> list[str]:
        """Looked for where nobody waits: among all files there are."""
        return list(connection.execute(select(_c.id).where(self._over()).limit(_SWEPT)).scalars())

    def _expire(self, tx: Transaction, *, late: list[str]) -> set[str]:
        these = delete(files).where(_c.id.in_(late), self._over()).returning(_c.id)
        return set(tx.connection.execute(these).scalars())

    def _remove(self, ids: set[str]) -> None:
        for id in ids:
            self._contents.remove(id)

    async def _run(self) -> None:
        while True:
            try:
                self.trouble = await self._on_disk(self._contents.trouble)
                await asyncio.sleep(self._sweep_seconds)
                await self.sweep()
            except Exception:
                log.exception("old files could not be removed")


def _known(connection: Connection, *, ids: list[str]) -> set[str]:
    return set(connection.execute(select(_c.id).where(_c.id.in_(ids))).scalars())


def _other_size(file: File, size: int) -> TooLarge | Invalid:
    text = f"This file was announced with {file.size} bytes"
    return TooLarge(text) if size > file.size else Invalid(text)
