"""What is done to messages: edits, recalls, reactions, votes, pins, threads, mentions. Channels, topics, who may write."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("topic", Text))
    op.add_column("conversations", sa.Column("writers", Text, nullable=False, server_default="all"))
    op.create_index(
        "ix_conversations_channels",
        "conversations",
        ["title", "id"],
        sqlite_where=sa.text("kind = 'channel'"),
        postgresql_where=sa.text("kind = 'channel'"),
    )
    op.create_table(
        "amended",
        sa.Column("conversation", Text),
        sa.Column("seq", sa.BigInteger),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("text", Text),
        sa.Column("mentions", Text),
        sa.Column("edits", sa.Integer, nullable=False),
        sa.Column("edited", sa.BigInteger),
        sa.Column("recalled_by", Text),
        sa.Column("recalled", sa.BigInteger),
        sa.Column("pinned_by", Text),
        sa.Column("pinned", sa.BigInteger),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("replies", sa.Integer, nullable=False),
        sa.Column("reply_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", name="pk_amended"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_amended_conversation"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_amended_pinned",
        "amended",
        ["conversation", "pinned"],
        sqlite_where=sa.text("pinned IS NOT NULL"),
        postgresql_where=sa.text("pinned IS NOT NULL"),
    )
    for name in ("edits", "replies"):
        op.create_table(
            name,
            sa.Column("conversation", Text),
            sa.Column("seq", sa.BigInteger),
            sa.Column("place", sa.BigInteger),
            sa.PrimaryKeyConstraint("conversation", "seq", "place", name=f"pk_{name}"),
            sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=f"fk_{name}_conversation"),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "responses",
        sa.Column("conversation", Text),
        sa.Column("seq", sa.BigInteger),
        sa.Column("kind", Text),
        sa.Column("value", Text),
        sa.Column("user", Text),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", "kind", "value", "user", name="pk_responses"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_responses_conversation"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "followers",
        sa.Column("user", Text),
        sa.Column("conversation", Text),
        sa.Column("seq", sa.BigInteger),
        sa.Column("read_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user", "conversation", "seq", name="pk_followers"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_followers_conversation"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mentions",
        sa.Column("conversation", Text),
        sa.Column("who", Text),
        sa.Column("seq", sa.BigInteger),
        sa.PrimaryKeyConstraint("conversation", "who", "seq", name="pk_mentions"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_mentions_conversation"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recalls",
        sa.Column("conversation", Text),
        sa.Column("seq", sa.BigInteger),
        sa.Column("user", Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", name="pk_recalls"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_recalls_conversation"),
        sqlite_with_rowid=False,
    )
