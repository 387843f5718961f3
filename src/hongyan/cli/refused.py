"""Which errors are told in a sentence. Everything else is a fault of the program and keeps its traceback."""


class Refused(Exception):
    """A command that cannot do what was asked. The text says why and what to do."""


def sentence(error: Exception) -> str | None:
    """What to tell a person; None when the error was not expected."""
    from hongyan.config import SettingsError
    from hongyan.core.errors import HongyanError
    from hongyan.operation.directory import DirectoryError

    if isinstance(error, (Refused, HongyanError, SettingsError, DirectoryError)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return None
