"""Names of rooms that clients of XMPP have made."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "xmpp_rooms",
        sa.Column("name", Text),
        sa.Column("conversation", Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_xmpp_rooms"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_xmpp_rooms_conversation"),
        sa.UniqueConstraint("conversation", name="uq_xmpp_rooms_conversation"),
    )
