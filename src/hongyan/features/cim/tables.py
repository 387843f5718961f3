"""Numbers, log-ins and what was missed."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Table

from hongyan.store.schema import Text, metadata

cim_accounts = Table(
    "cim_accounts",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("user", Text, ForeignKey("users.id"), nullable=False, unique=True),
    Column("open", Boolean, nullable=False),
    Column("position", BigInteger),
    Column("node", Text),
    Column("session", Text),
    Column("address", Text, index=True),
    Column("since", BigInteger),
)
"""Users with a number. `node` to `since` are the log-in that stands; see `model.Account` for the others."""

cim_missed = Table(
    "cim_missed",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("upto", BigInteger, primary_key=True, autoincrement=False),
    Column("after", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Parts of the log that went by while a user was not there and that were not fetched yet; they are apart from each other."""
