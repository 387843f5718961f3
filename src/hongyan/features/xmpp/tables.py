"""What people keep by XMPP alone. Everything else that XMPP shows is in the tables and the log of everybody."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table

from hongyan.store.schema import Text, metadata

roster = Table(
    "xmpp_roster",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("jid", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("groups", Text, nullable=False),
    Column("hidden", Boolean, nullable=False),
)
"""What a client has said of a contact: a name of its own, groups (a JSON array), or that it is not to be in the roster."""

blocks = Table(
    "xmpp_blocks",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("jid", Text, primary_key=True),
)
"""Whom somebody has blocked."""
Index("ix_xmpp_blocks_jid", blocks.c.jid)

nodes = Table(
    "xmpp_nodes",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("node", Text, primary_key=True),
    Column("access", Text, nullable=False),
    Column("most", Integer, nullable=False),
)
"""Nodes of personal eventing: who may read one, and how many items are kept."""

items = Table(
    "xmpp_items",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("node", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("place", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
)
"""The items of nodes, as XML; `place` orders them. Names that begin with a space are no nodes: private storage, a vCard."""

subscriptions = Table(
    "xmpp_subscriptions",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("jid", Text, primary_key=True),
    Column("sees", Boolean, nullable=False),
    Column("seen", Boolean, nullable=False),
    Column("asks", Boolean, nullable=False),
    Column("asked", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""Of accounts to addresses elsewhere: see `Subscription`."""

forwarded = Table(
    "xmpp_forwarded",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""One row: up to where the log has gone to other servers."""

xmpp_positions = Table(
    "xmpp_positions",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("position", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Up to which position of the log some XMPP client of this account has been given everything."""
