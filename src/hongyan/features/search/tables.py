"""The search's own tables. They hold nothing that is not in the log: a copy of a store leaves them out, a new version of the
tokens makes them anew. The index itself differs between stores (`matching.py`).
"""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table

from hongyan.store.schema import Text

derived = MetaData()

progress = Table(
    "search_progress",
    derived,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
)
"""One row: everything up to `position` of the log is in the index, as tokens of `version`."""
