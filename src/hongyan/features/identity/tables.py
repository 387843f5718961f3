"""Password verifiers and tokens."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table

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
