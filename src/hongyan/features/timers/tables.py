"""Timers that have not gone, and those that could not."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table

from hongyan.store.schema import Text, metadata

timers = Table(
    "timers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("content", LargeBinary),
    Column("seq", BigInteger),
    Column("note", Text, nullable=False),
    Column("failed", Text),
    Column("detail", Text),
    Column("place", BigInteger, nullable=False),
)
"""`place` is the newest event of it in the user's lane. `failed` is the code of the error why it did not go."""
Index(
    "ix_timers_due",
    timers.c.due,
    sqlite_where=timers.c.failed.is_(None),
    postgresql_where=timers.c.failed.is_(None),
)
