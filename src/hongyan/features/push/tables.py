"""Subscriptions of devices, the key that the server signs with, and which messages somebody has taken to tell of."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table

from hongyan.store.schema import Text, metadata

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("token", Text, ForeignKey("tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("endpoint", Text, nullable=False, unique=True),
    Column("public", LargeBinary, nullable=False),
    Column("auth", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
)
"""One for each token, and gone with it: who has logged out is told nothing."""

push_keys = Table(
    "push_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("private", LargeBinary, nullable=False),
)
"""One row: the private number of the P-256 key, 32 bytes. With another one every subscription is void."""

push_claims = Table(
    "push_claims",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
)
"""Messages that a node has taken to tell of: the newest of them."""
