"""Pictures of people. Their hashes stand in `users`, for everybody's lists."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table

from hongyan.store.schema import Text, metadata

avatars = Table(
    "avatars",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("sha1", Text),
)
"""WebP, 256 by 256 pixels; `sha1` is what XMPP knows it by."""
