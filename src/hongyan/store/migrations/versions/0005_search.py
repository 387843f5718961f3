"""The index of the search. It is filled by running servers, from the log."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SQLITE = ("CREATE VIRTUAL TABLE search_index USING fts5(tokens, detail = none, columnsize = 0, tokenize = 'ascii')",)
_POSTGRESQL = (
    "CREATE TABLE search_index (position BIGINT PRIMARY KEY, tokens TSVECTOR NOT NULL)",
    "CREATE INDEX ix_search_index_tokens ON search_index USING gin (tokens) WITH (gin_pending_list_limit = 512)",
)


def upgrade() -> None:
    progress = op.create_table(
        "search_progress",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("version", Text, nullable=False),
    )
    op.bulk_insert(progress, [{"id": 1, "position": 0, "version": ""}])
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
