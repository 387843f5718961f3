"""What every store knows of itself from its first start on, in the table `meta`."""

import secrets
import string

import msgspec
from sqlalchemy import Connection, insert, select

from hongyan.store.schema import meta


class Identity(msgspec.Struct, frozen=True):
    epoch: str
    """The name of this history of the log. Cursors carry it, so that one from another history is recognised."""
    key: bytes
    """What only who can read the store knows."""


def new_epoch() -> str:
    """The name of a history that nobody has a cursor of."""
    return "".join(secrets.choice(string.digits + string.ascii_lowercase) for _ in range(12))


def identity(connection: Connection) -> Identity:
    """This store's, made by whoever comes first. Inside a transaction that is alone."""
    known = _known(connection)
    for name, value in (("epoch", new_epoch()), ("key", secrets.token_hex(32))):
        if name not in known:
            connection.execute(insert(meta).values(name=name, value=value))
            known[name] = value
    return Identity(known["epoch"], bytes.fromhex(known["key"]))


def identity_of(connection: Connection) -> Identity | None:
    """This store's; None before any server has used it. Changes nothing."""
    known = _known(connection)
    return Identity(known["epoch"], bytes.fromhex(known["key"])) if len(known) == 2 else None


def _known(connection: Connection) -> dict[str, str]:
    return {row.name: row.value for row in connection.execute(select(meta).where(meta.c.name.in_(("epoch", "key"))))}
