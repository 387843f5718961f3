"""The log, people, conversations, passwords and tokens."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=False),
        sa.Column("lane", Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("sender", Text),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("client_id", Text),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_events"),
    )
    op.create_index("ix_events_lane_seq", "events", ["lane", "seq"], unique=True)
    op.create_index(
        "ix_events_sender_client_id",
        "events",
        ["sender", "client_id"],
        unique=True,
        sqlite_where=sa.text("client_id IS NOT NULL"),
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_table(
        "lanes",
        sa.Column("lane", Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lane", name="pk_lanes"),
    )
    op.create_table(
        "meta",
        sa.Column("name", Text),
        sa.Column("value", Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
    op.create_table(
        "users",
        sa.Column("id", Text),
        sa.Column("name", Text, nullable=False),
        sa.Column("folded", Text, nullable=False),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index("ix_users_folded", "users", ["folded"])
    op.create_table(
        "conversations",
        sa.Column("id", Text),
        sa.Column("kind", Text, nullable=False),
        sa.Column("title", Text),
        sa.Column("history", Text, nullable=False),
        sa.Column("direct_key", Text),
        sa.Column("member_count", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.UniqueConstraint("direct_key", name="uq_conversations_direct_key"),
    )
    op.create_table(
        "members",
        sa.Column("conversation", Text),
        sa.Column("user", Text),
        sa.Column("role", Text, nullable=False),
        sa.Column("since_seq", sa.BigInteger, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("read_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "user", name="pk_members"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_members_conversation"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_members_user"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_user", "members", ["user"])
    op.create_table(
        "former_members",
        sa.Column("user", Text),
        sa.Column("conversation", Text),
        sa.Column("since_seq", sa.BigInteger),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user", "conversation", "since_seq", name="pk_former_members"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_former_members_user"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name="fk_former_members_conversation"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verifiers",
        sa.Column("user", Text),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("iterations", sa.Integer, nullable=False),
        sa.Column("stored_key", sa.LargeBinary, nullable=False),
        sa.Column("server_key", sa.LargeBinary, nullable=False),
        sa.Column("change_password", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_verifiers"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_verifiers_user"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", Text),
        sa.Column("user", Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("device", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_tokens_user"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_index("ix_tokens_user", "tokens", ["user"])
    if op.get_context().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(Path(__file__).with_name("0001_append_events.sql").read_text(encoding="utf-8"))
