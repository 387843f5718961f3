"""What belongs to one person alone: drafts, bookmarks, hidden messages, levels, preferences, status, timers."""

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _of_conversation(
        "drafts",
        [sa.Column("thread", sa.BigInteger)],
        sa.Column("text", Text, nullable=False),
        sa.Column("reply", sa.BigInteger),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
    )
    _of_conversation(
        "bookmarks",
        [sa.Column("seq", sa.BigInteger)],
        sa.Column("note", Text, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_bookmarks_place", "bookmarks", ["user", "place"])
    _of_conversation("hidden", [sa.Column("seq", sa.BigInteger)])
    _of_conversation("unread_marks", [], sa.Column("seq", sa.BigInteger, nullable=False))
    _of_conversation(
        "arrangements",
        [],
        sa.Column("level", Text, nullable=False),
        sa.Column("muted_until", sa.BigInteger),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
    )
    _of_user("preferences", sa.Column("content", sa.LargeBinary, nullable=False))
    op.create_table(
        "timers",
        sa.Column("id", Text),
        sa.Column("user", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("conversation", Text, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("seq", sa.BigInteger),
        sa.Column("note", Text, nullable=False),
        sa.Column("failed", Text),
        sa.Column("detail", Text),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_timers"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_timers_user"),
    )
    op.create_index("ix_timers_user", "timers", ["user"])
    waiting = sa.text("failed IS NULL")
    op.create_index("ix_timers_due", "timers", ["due"], sqlite_where=waiting, postgresql_where=waiting)
    _of_user("statuses", sa.Column("text", Text, nullable=False), sa.Column("emoji", Text), sa.Column("until", sa.BigInteger))


def _of_conversation(name: str, keys: list[sa.Column[int]], *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("user", Text),
        sa.Column("conversation", Text),
        *keys,
        *columns,
        sa.PrimaryKeyConstraint("user", "conversation", *(key.name for key in keys), name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name=f"fk_{name}_user"),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"], name=f"fk_{name}_conversation"),
        sqlite_with_rowid=False,
    )


def _of_user(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("user", Text),
        *columns,
        sa.PrimaryKeyConstraint("user", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name=f"fk_{name}_user"),
        sqlite_with_rowid=False,
    )
