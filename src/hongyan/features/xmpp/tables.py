"""What XMPP keeps."""

from sqlalchemy import BigInteger, Column, Integer, Table

from hongyan.store.schema import metadata

forwarded = Table(
    "xmpp_forwarded",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""One row: up to where the log has gone to other servers."""
