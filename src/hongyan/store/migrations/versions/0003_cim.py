"""Numbers of CIM users, their log-ins, and what they have missed."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cim_accounts",
        sa.Column("number", sa.BigInteger, autoincrement=False),
        sa.Column("user", Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("position", sa.BigInteger),
        sa.Column("node", Text),
        sa.Column("session", Text),
        sa.Column("address", Text),
        sa.Column("since", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", name="pk_cim_accounts"),
        sa.UniqueConstraint("user", name="uq_cim_accounts_user"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_cim_accounts_user"),
    )
    op.create_index("ix_cim_accounts_address", "cim_accounts", ["address"])
    op.create_table(
        "cim_missed",
        sa.Column("user", Text),
        sa.Column("upto", sa.BigInteger, autoincrement=False),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user", "upto", name="pk_cim_missed"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_cim_missed_user"),
        sqlite_with_rowid=False,
    )
