"""Tokens of embedded pages: good for one conversation, and as long as the token that they come from."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("only", Text))
    op.add_column("tokens", sa.Column("parent", Text))
    op.create_index("ix_tokens_parent", "tokens", ["parent"])
