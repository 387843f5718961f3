"""Names that clients of XMPP have given to the rooms they made."""

from sqlalchemy import Column, ForeignKey, Table

from hongyan.store.schema import Text, metadata

xmpp_rooms = Table(
    "xmpp_rooms",
    metadata,
    Column("name", Text, primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False, unique=True),
)
"""`name` is the local part of an address. It never looks like a conversation's id, and is never given again."""
