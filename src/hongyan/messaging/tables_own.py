"""What belongs to one person alone (`core/own.py`). Rows of conversations that they have left stay; nobody is shown them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table

from hongyan.store.schema import Text, metadata

drafts = Table(
    "drafts",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("thread", BigInteger, primary_key=True),
    Column("text", Text, nullable=False),
    Column("reply", BigInteger),
    Column("time", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`thread` is 0 for the conversation itself; `place` is the event in the user's lane that says so."""

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("note", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`place` is the event in the user's lane that made it: the order of the list."""
Index("ix_bookmarks_place", bookmarks.c.user, bookmarks.c.place)

hidden = Table(
    "hidden",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
"""Messages that somebody has deleted for themselves."""

unread_marks = Table(
    "unread_marks",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""From where on somebody has marked a conversation as unread; written in the scope of read marks, which end it."""

arrangements = Table(
    "arrangements",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("level", Text, nullable=False),
    Column("muted_until", BigInteger),
    Column("pinned", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("place", BigInteger),
    sqlite_with_rowid=False,
)
"""How loud a conversation is for somebody, and where it stands in their list. No row: as every conversation is."""

preferences = Table(
    "preferences",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

statuses = Table(
    "statuses",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("emoji", Text),
    Column("until", BigInteger),
    sqlite_with_rowid=False,
)
