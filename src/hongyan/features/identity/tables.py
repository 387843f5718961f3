"""Password verifiers, tokens, and devices that are told of messages while they have none."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, UniqueConstraint

from hongyan.store.schema import Text, metadata

verifiers = Table(
    "verifiers",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("stored_key", LargeBinary, nullable=False),
    Column("server_key", LargeBinary, nullable=False),
    Column("change_password", Boolean, nullable=False),
)
"""SCRAM-SHA-256 (RFC 5802, RFC 7677); see docs/decisions/0002."""

sha1_verifiers = Table(
    "sha1_verifiers",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("stored_key", LargeBinary, nullable=False),
    Column("server_key", LargeBinary, nullable=False),
)
"""SCRAM-SHA-1, of the same password as in `verifiers`: whoever writes there writes or deletes here. Not everybody has them."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("device", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("only", Text),
    Column("parent", Text, index=True),
)
"""Live tokens only: an ended one is deleted, its end is an event. `hash` is SHA-256; `kind` is `session`, `xmpp`, `named`,
`ticket` or `embedded`. The last two are good for the conversation `only`, and end with the named token `parent` that they come
from.
"""

registrations = Table(
    "push_registrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.id"), nullable=False),
    Column("service", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("enabled", BigInteger, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),
    UniqueConstraint("user", "service", "node"),
)
"""Devices that have let themselves be woken by an XMPP push service (XEP-0357). A row outlives the token of its device, which
ends whenever the device sleeps; it is here because it ends where all log-ins of somebody end, and where its device is logged
out by another. `enabled` and `taken` say when it was last asked for, and when its service last took something; `told` is the
position of the newest message that was told of.
"""
