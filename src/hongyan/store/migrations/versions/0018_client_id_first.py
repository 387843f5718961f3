"""What finds a repeated send begins with the client id: ids grow with time, so new ones are on few pages, whoever sends."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_events_sender_client_id", "events")
    op.create_index(
        "ix_events_client_id_sender",
        "events",
        ["client_id", "sender"],
        unique=True,
        sqlite_where=sa.text("client_id IS NOT NULL"),
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
