"""Who sees whom across servers."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "xmpp_subscriptions",
        sa.Column("user", Text),
        sa.Column("jid", Text),
        sa.Column("sees", sa.Boolean, nullable=False),
        sa.Column("seen", sa.Boolean, nullable=False),
        sa.Column("asks", sa.Boolean, nullable=False),
        sa.Column("asked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user", "jid", name="pk_xmpp_subscriptions"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_xmpp_subscriptions_user"),
        sqlite_with_rowid=False,
    )
