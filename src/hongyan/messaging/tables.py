"""Users, conversations, who is in them, and what was done to their messages."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table

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
    Column("avatar", Text),
)
"""`id` is the account name and never changes (docs/decisions/0001); `folded` is the display name for searching by prefix,
`avatar` the hash of a picture that they have chosen.
"""

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text),
    Column("topic", Text),
    Column("history", Text, nullable=False),
    Column("writers", Text, nullable=False, server_default="all"),
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
Index(
    "ix_conversations_channels",
    conversations.c.title,
    conversations.c.id,
    sqlite_where=conversations.c.kind == "channel",
    postgresql_where=conversations.c.kind == "channel",
)

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

bans = Table(
    "bans",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("by", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Who may not come in, since when and by whose word."""

amended = Table(
    "amended",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("text", Text),
    Column("mentions", Text),
    Column("edits", Integer, nullable=False),
    Column("edited", BigInteger),
    Column("recalled_by", Text),
    Column("recalled", BigInteger),
    Column("pinned_by", Text),
    Column("pinned", BigInteger),
    Column("closed", Boolean, nullable=False),
    Column("replies", Integer, nullable=False),
    Column("reply_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Messages that something was done to (`core/amending.py`); `at` is the newest act's event."""
Index(
    "ix_amended_pinned",
    amended.c.conversation,
    amended.c.pinned,
    sqlite_where=amended.c.pinned.is_not(None),
    postgresql_where=amended.c.pinned.is_not(None),
)

edits = Table(
    "edits",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
"""The `edit` events of a message."""

responses = Table(
    "responses",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("place", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Who has chosen what: `react` with an emoji, `vote` with the number of an option; `place` is the event."""

replies = Table(
    "replies",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
"""The events of a message's thread."""

followers = Table(
    "followers",
    metadata,
    Column("user", Text, primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("read_seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Who follows a message's thread, and up to where they have read it."""

mentions = Table(
    "mentions",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("who", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
"""Whom a message mentions: an account's id, `@all` or `@admins`."""

recalls = Table(
    "recalls",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("user", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("time", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What a recalled message said, for its author to write it anew, for a while."""
