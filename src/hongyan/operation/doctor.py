"""`hongyan doctor`: looks over the data and the settings. Each finding says in a sentence what is wrong, and what to do.

It changes nothing, and a server may be running meanwhile.
"""

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from hongyan.config import Settings, parse_endpoint
from hongyan.operation import doctor_nats, doctor_postgres, doctor_tls
from hongyan.operation.directory import DataDirectory
from hongyan.operation.finding import Finding, ahead
from hongyan.store import migrate

_GIB = 1 << 30
_SAFE_ITERATIONS = 100_000
_LONG_DAYS = 400


def examine(settings: Settings, *, now: Callable[[], float] = time.time) -> list[Finding]:
    """Everything that is wrong, the most pressing first. `now` is seconds since 1970."""
    directory = DataDirectory(settings.data)
    return [
        *_data(directory, settings, now),
        *(doctor_nats.examine(settings) if settings.has_bus else ()),
        *doctor_tls.examine(settings, now()),
        *_settings(settings),
        *_demonstration(directory, settings),
    ]


def _data(directory: DataDirectory, settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    if settings.shares_store:
        yield from doctor_postgres.examine(settings, now)
    elif directory.is_new:
        yield Finding(
            f"There is no Hongyan data in {directory.path}", "Name the data directory with --data DIR, or start the server"
        )
        return
    try:
        if directory.path.exists():
            yield from _access(directory.path)
            yield from _room(directory.path)
        if not settings.shares_store:
            yield from _store(directory.database, now)
    except OSError as error:
        yield Finding(
            f"{error.filename or directory.path} cannot be read: {error.strerror}", "Run this as the user who runs the server"
        )


def _access(path: Path) -> Iterator[Finding]:
    mode = path.stat()
    if mode.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding(f"Others than the owner may enter the data directory {path}", f"Run: chmod 700 {path}")
    if mode.st_uid != os.geteuid():
        yield Finding(f"The data directory {path} belongs to another user", "Run this, and the server, as its owner")
    for file in sorted(path.iterdir()):
        if file.is_file() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding(f"Others than the owner may read {file}", f"Run: chmod 600 {file}")


def _room(path: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(path).free
    if free < _GIB:
        yield Finding(
            f"The disk of {path} has only {free // (1 << 20)} MiB left", "Make room: when it is full, sends are refused"
        )


def _store(database: Path, now: Callable[[], float]) -> Iterator[Finding]:
    restore = "Stop the server and put the last backup in place with hongyan restore"
    try:
        migrate.check(database)
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            damage = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
            if damage != ["ok"]:
                yield Finding(f"The database {database} is damaged: {'; '.join(damage)}", restore)
            newest = connection.execute("SELECT time FROM events ORDER BY position DESC LIMIT 1").fetchone()
    except migrate.WrongSchema as error:
        wrong, _, do = str(error).partition(". ")
        yield Finding(wrong, do)
        return
    except Exception as error:  # SQLAlchemy's and SQLite's kinds are many; each means that the file is not readable
        yield Finding(f"The database {database} cannot be read: {error}", restore)
        return
    yield from ahead(newest and newest[0], now())


def _settings(settings: Settings) -> Iterator[Finding]:
    http, identity = settings.http, settings.identity
    for network in http.trusted_proxies:
        if network.endswith("/0"):
            yield Finding(
                f"http.trusted_proxies has {network}: everybody may claim any address, and the throttle of log-ins is void",
                "Name the proxies only",
            )
    for origin in http.origins:
        if origin.startswith("http://") and not origin.startswith(("http://localhost", "http://127.0.0.1", "http://[::1]")):
            yield Finding(f"http.origins has {origin}: its pages can be changed on the way", "Serve them over https")
    if identity.iterations < _SAFE_ITERATIONS:
        yield Finding(f"identity.iterations is {identity.iterations}: a stolen database is guessed quickly", "Leave the default")
    if identity.password_length < 8:
        yield Finding(f"identity.password_length is {identity.password_length}: such passwords are guessed", "Demand 8 or more")
    if identity.session_days > _LONG_DAYS:
        yield Finding(f"identity.session_days is {identity.session_days}: a lost device stays logged in", "Choose 90 or fewer")
    if settings.logging.level == "debug":
        yield Finding("logging.level is debug: the log grows quickly", "Use info, unless you are looking for something")


def _demonstration(directory: DataDirectory, settings: Settings) -> Iterator[Finding]:
    if directory.demo.exists() and not parse_endpoint(settings.http.listen).local:
        yield Finding(
            f"The demonstration organisation can be reached from outside, and its passwords are in {directory.demo}",
            "Begin with a new data directory",
        )
