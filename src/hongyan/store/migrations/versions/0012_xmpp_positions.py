"""How far XMPP clients of each account have come."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "xmpp_positions",
        sa.Column("user", Text),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_xmpp_positions"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_xmpp_positions_user"),
        sqlite_with_rowid=False,
    )
