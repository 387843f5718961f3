"""Pictures of people."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("avatar", Text))
    op.create_table(
        "avatars",
        sa.Column("user", Text),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_avatars"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_avatars_user"),
    )
