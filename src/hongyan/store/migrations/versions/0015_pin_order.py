"""The order of one's pinned conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("arrangements", sa.Column("place", sa.BigInteger))
