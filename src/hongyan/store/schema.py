"""The log's tables. Features declare theirs on the same MetaData, in their own `tables.py`."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Text = String().with_variant(String(collation="C"), "postgresql")
"""Text that every store compares and sorts byte by byte, as SQLite does, whatever the language of a database is."""

events = Table(
    "events",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("lane", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("sender", Text),
    Column("time", BigInteger, nullable=False),
    Column("client_id", Text),
    Column("content", LargeBinary, nullable=False),
)
Index("ix_events_lane_seq", events.c.lane, events.c.seq, unique=True)
# Only events with a client_id are in it: the rest of the log costs this index nothing. Client ids come first: those of UUIDv7
# grow with time, so a commit writes few of its pages, whoever the senders are (docs/performance.md).
Index(
    "ix_events_client_id_sender",
    events.c.client_id,
    events.c.sender,
    unique=True,
    sqlite_where=events.c.client_id.is_not(None),
    postgresql_where=events.c.client_id.is_not(None),
)

lanes = Table(
    "lanes",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)
"""Only lanes whose version was ever bumped."""

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""`epoch`, and what else is true of the whole store."""
DERIVED = "search_"
"""Tables with names that begin so hold nothing that is not in the others: they are not copied, but made again."""
UNFINISHED_COPY = "unfinished-copy"
"""The name in `meta` of what says that a copy into this store is not complete, and of what."""
