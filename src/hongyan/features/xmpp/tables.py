"""How far XMPP clients have come."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table

from hongyan.store.schema import Text, metadata

xmpp_positions = Table(
    "xmpp_positions",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("position", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Up to which position of the log some XMPP client of this account has been given everything."""
