"""Devices that XMPP push services wake."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_registrations",
        sa.Column("id", Text),
        sa.Column("user", Text, nullable=False),
        sa.Column("service", Text, nullable=False),
        sa.Column("node", Text, nullable=False),
        sa.Column("options", Text, nullable=False),
        sa.Column("device", Text, nullable=False),
        sa.Column("enabled", sa.BigInteger, nullable=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
        sa.Column("told", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_push_registrations"),
        sa.UniqueConstraint("user", "service", "node", name="uq_push_registrations_user_service_node"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_push_registrations_user"),
    )
