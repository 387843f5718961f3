"""The name of a history of the log. Cursors carry it, so that one from another history is recognised."""

import secrets
import string


def new_epoch() -> str:
    """The name of a history that nobody has a cursor of."""
    return "".join(secrets.choice(string.digits + string.ascii_lowercase) for _ in range(12))
