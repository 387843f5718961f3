"""Keys for SCRAM-SHA-1. They come when passwords are next seen."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sha1_verifiers",
        sa.Column("user", Text),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("iterations", sa.Integer, nullable=False),
        sa.Column("stored_key", sa.LargeBinary, nullable=False),
        sa.Column("server_key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_sha1_verifiers"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_sha1_verifiers_user"),
    )
