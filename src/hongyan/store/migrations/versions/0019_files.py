"""Files that people put on the server."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", Text, nullable=False),
        sa.Column("owner", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("media_type", Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("begun", sa.BigInteger),
        sa.Column("received", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.ForeignKeyConstraint(["owner"], ["users.id"], name="fk_files_owner"),
    )
    op.create_index("ix_files_owner_created", "files", ["owner", "created"])
    op.create_index("ix_files_created", "files", ["created"])
