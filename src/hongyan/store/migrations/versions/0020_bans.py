"""Who may not come into a group or channel any more."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bans",
        sa.Column("conversation", Text, nullable=False),
        sa.Column("user", Text, nullable=False),
        sa.Column("by", Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "user", name="pk_bans"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_bans_conversation"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_bans_user"),
        sqlite_with_rowid=False,
    )
