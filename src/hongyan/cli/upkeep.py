"""`hongyan migrate`, `backup`, `restore`, `doctor`: taking care of a data directory."""

import argparse
import os
from pathlib import Path

from hongyan.cli.options import Commands, settings_of


def add(commands: Commands) -> None:
    parser = commands.add_parser("migrate", help="bring the tables to this version", allow_abbrev=False)
    parser.description = "Bring the tables of the data directory to this version. Stop the server and make a backup first."
    parser.set_defaults(run=_migrate)

    parser = commands.add_parser("backup", help="write a consistent copy, while the server runs or not", allow_abbrev=False)
    parser.description = "Write a consistent copy of the data to a new file, while the server runs or not."
    parser.add_argument("file", metavar="FILE", help="where the copy goes; must not be there yet")
    parser.set_defaults(run=_backup)

    parser = commands.add_parser("restore", help="put a copy in place of the data", allow_abbrev=False)
    parser.description = (
        "Put a copy in place of the data, while the server is stopped; what was there is kept beside it. "
        "Clients that had seen more are told to load everything again."
    )
    parser.add_argument("file", metavar="FILE", help="what `hongyan backup` wrote")
    parser.set_defaults(run=_restore)

    parser = commands.add_parser("doctor", help="look over data directory and settings", allow_abbrev=False)
    parser.description = (
        "Look over the data directory and the settings, and say what is wrong and what to do. Ends with 1 when something is."
    )
    parser.set_defaults(run=_doctor)


def _migrate(given: argparse.Namespace) -> int:
    settings = settings_of(given)
    from hongyan.operation.directory import DataDirectory
    from hongyan.store import migrate

    os.umask(0o077)
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
