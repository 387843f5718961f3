"""`hongyan migrate`, `backup`, `restore`, `doctor`: taking care of what a server keeps."""

import argparse
import os
from pathlib import Path

from hongyan.cli.options import Commands, settings_of
from hongyan.cli.refused import Refused


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "migrate", help="bring the tables to this version, or copy into another store", allow_abbrev=False
    )
    parser.description = (
        "Bring the tables of the store to this version; or, with --from and --to, copy everything from one store into another. "
        "Stop the servers and make a backup first. A copy that was interrupted goes on when the same command is given again."
    )
    parser.add_argument("--from", dest="source", metavar="URL", help="the store to copy: sqlite: (in the data directory), "
                        "sqlite:///DIRECTORY/hongyan.db or postgresql://USER@HOST:PORT/DB")  # fmt: skip
    parser.add_argument("--to", dest="target", metavar="URL", help="the store to copy into, which must be empty")
    parser.set_defaults(run=_migrate)

    parser = commands.add_parser("backup", help="write a consistent copy, while the server runs or not", allow_abbrev=False)
    parser.description = (
        "Write a consistent copy of the data to a new file, while the server runs or not. "
        "A PostgreSQL database is backed up with pg_dump."
    )
    parser.add_argument("file", metavar="FILE", help="where the copy goes; must not be there yet")
    parser.set_defaults(run=_backup)

    parser = commands.add_parser("restore", help="put a copy in place of the data", allow_abbrev=False)
    parser.description = (
        "Put a copy in place of the data, while the server is stopped; what was there is kept beside it. "
        "Clients that had seen more are told to load everything again."
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="what `hongyan backup` wrote")
    parser.add_argument(
        "--restored-by-hand",
        action="store_true",
        help="in place of FILE: the data were put back by other means (pg_restore, a snapshot of a disk), tell the clients",
    )
    parser.set_defaults(run=_restore)

    parser = commands.add_parser("doctor", help="look over data and settings", allow_abbrev=False)
    parser.description = (
        "Look over the data and the settings, and say what is wrong and what to do. Ends with 1 when something is."
    )
    parser.set_defaults(run=_doctor)


def _migrate(given: argparse.Namespace) -> int:
    settings = settings_of(given)
    if given.source or given.target:
        if not given.source or not given.target:
            raise Refused("A copy needs both: hongyan migrate --from URL --to URL")
        from hongyan.cli import moving

        moving.move(settings, given.source, given.target)
        return 0
    from hongyan.operation.directory import DataDirectory
    from hongyan.store import migrate

    os.umask(0o077)
    if settings.shares_store:
        before = migrate.current(settings.store)
        migrate.upgrade(settings.store)
    else:
        directory = DataDirectory(settings.data)
        directory.require()
        with directory.locked():
            before = migrate.current(directory.database)
            migrate.upgrade(directory.database)
    now = migrate.newest()
    print(f"The tables are of version {now} already" if before == now else f"The tables are of version {now} now")
    return 0


def _backup(given: argparse.Namespace) -> int:
    settings = settings_of(given)
    if settings.shares_store:
        raise Refused(
            "A PostgreSQL database is backed up with its own programs, while the servers run: "
            "pg_dump --format=custom --file=FILE ... (pg_restore puts it back, and then: hongyan restore --restored-by-hand)"
        )
    from hongyan.operation.directory import DataDirectory
    from hongyan.store import backup

    os.umask(0o077)
    directory = DataDirectory(settings.data)
    directory.require()
    backup.write(directory.database, Path(given.file))
    print(f"The copy is in {given.file}")
    return 0


def _restore(given: argparse.Namespace) -> int:
    settings = settings_of(given)
    if given.restored_by_hand:
        if given.file:
            raise Refused("FILE and --restored-by-hand do not go together: with a FILE, that is what is put back")
        from hongyan.operation import renewing

        print(f"{renewing.renew(settings)} has a new epoch: clients that had seen more load everything again")
        return 0
    if settings.shares_store:
        raise Refused(
            "A PostgreSQL database is put back with its own programs while the servers are stopped: pg_restore --clean ... FILE. "
            "Then, so that clients that had seen more notice it: hongyan --store URL restore --restored-by-hand"
        )
    if not given.file:
        raise Refused("Name the FILE to put back, which `hongyan backup` wrote: hongyan restore FILE")
    from hongyan.operation.directory import DataDirectory
    from hongyan.store import backup

    os.umask(0o077)
    directory = DataDirectory(settings.data)
    directory.prepare()
    with directory.locked():
        aside = backup.restore(Path(given.file), directory.database)
    print(f"{given.file} is in place in {directory.path}" + (f"; what was there is kept as {aside.name}" if aside else ""))
    return 0


def _doctor(given: argparse.Namespace) -> int:
    settings = settings_of(given)
    from hongyan.operation import doctor

    findings = doctor.examine(settings)
    for finding in findings:
        print(f"- {finding}")
    if not findings:
        print("Nothing is wrong.")
    return 1 if findings else 0
