"""Users, conversations and who is in them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table

from hongyan.store.schema import Text, metadata

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, index=True),
    Column("admin", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)
"""`id` is the account name and never changes (docs/decisions/0001); `folded` is the display name for searching by prefix."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text),
    Column("history", Text, nullable=False),
    Column("direct_key", Text, unique=True),
    Column("member_count", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
)
"""`direct_key` names the two of a direct conversation, so that there is only one; NULL for all others."""

members = Table(
    "members",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("since_seq", BigInteger, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("read_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Who is in it now. `since_seq` is the event that let them in, `first_seq` the first event they may read."""
Index("ix_members_user", members.c.user)

former_members = Table(
    "former_members",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("since_seq", BigInteger, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Who was in it, from which event to which: a stream that is resumed from before still shows that part, and no more."""
