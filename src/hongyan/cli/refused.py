"""Which errors are told in a sentence. Everything else is a fault of the program and keeps its traceback."""


class Refused(Exception):
    """A command that cannot do what was asked. The text says why and what to do."""


def sentence(error: Exception) -> str | None:
    """What to tell a person; None when the error was not expected."""
    import sqlite3

    import asyncpg
    from sqlalchemy.exc import DBAPIError

    from hongyan.config import SettingsError
    from hongyan.core.errors import HongyanError
    from hongyan.operation.directory import DirectoryError
    from hongyan.store.backup import BackupError
    from hongyan.store.copy_sides import CopyError
    from hongyan.store.migrate import WrongSchema
    from hongyan.store.postgres_alone import InUse

    if isinstance(error, (Refused, HongyanError, SettingsError, DirectoryError, WrongSchema, BackupError, CopyError, InUse)):
        return str(error)
    if isinstance(error, (DBAPIError, sqlite3.Error, asyncpg.PostgresError)):
        reason = error.orig if isinstance(error, DBAPIError) else error
        return f"The database cannot be used: {reason}. hongyan doctor tells more"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return None
