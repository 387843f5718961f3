"""Accounts without a server: the store of the data directory is opened by this process, beside a running server or alone."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from hongyan.config import Settings
from hongyan.features.files import Files
from hongyan.features.identity import Identity
from hongyan.messaging import People, now_ms
from hongyan.operation.directory import DataDirectory
from hongyan.operation.opening import store_of


class Accounts(msgspec.Struct, frozen=True):
    identity: Identity
    people: People
    files: Files


@asynccontextmanager
async def accounts(settings: Settings, *, may_make: bool) -> AsyncIterator[Accounts]:
    """`may_make`: a data directory that is not there yet is made. Raises DirectoryError and WrongSchema."""
    os.umask(0o077)
    if not settings.shares_store:
        directory = DataDirectory(settings.data)
        directory.prepare() if may_make else directory.require()
    store = store_of(settings)
    people = People(store)
    identity = Identity(store, people, settings.identity)
    files = Files(store, settings, clock=now_ms, random=secrets.token_bytes)
    try:
        await store.start(lambda batch: None)
        yield Accounts(identity, people, files)
    finally:
        await files.stop()
        await identity.stop()
        await store.close()
