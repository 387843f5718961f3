"""Files that were announced, and those that have come. Their contents are in a directory, under their ids."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table

from hongyan.store.schema import Text, metadata

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("begun", BigInteger),
    Column("received", BigInteger),
    Index("ix_files_owner_created", "owner", "created"),
    Index("ix_files_created", "created"),
)
"""`begun` is when the first byte of it was taken, `received` when all of it was there."""
