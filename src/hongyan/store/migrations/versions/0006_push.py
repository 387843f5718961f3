"""Web Push: subscriptions of devices, the server's key, messages that a node has taken to tell of."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("token", Text),
        sa.Column("user", Text, nullable=False),
        sa.Column("endpoint", Text, nullable=False),
        sa.Column("public", sa.LargeBinary, nullable=False),
        sa.Column("auth", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_push_subscriptions"),
        sa.ForeignKeyConstraint(["token"], ["tokens.id"], name="fk_push_subscriptions_token", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_push_subscriptions_user"),
        sa.UniqueConstraint("endpoint", name="uq_push_subscriptions_endpoint"),
    )
    op.create_index("ix_push_subscriptions_user", "push_subscriptions", ["user"])
    op.create_table(
        "push_keys",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("private", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_push_keys"),
    )
    op.create_table(
        "push_claims",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=False),
        sa.PrimaryKeyConstraint("position", name="pk_push_claims"),
    )
