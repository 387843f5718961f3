"""What people keep by XMPP: contacts, blocked addresses, nodes; and hashes of pictures as XMPP has them."""

from hashlib import sha1
from typing import Any

import sqlalchemy as sa
from alembic import op

from hongyan.store.schema import Text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _table("xmpp_roster", ("jid",), sa.Column("name", Text, nullable=False), sa.Column("groups", Text, nullable=False),
           sa.Column("hidden", sa.Boolean, nullable=False))  # fmt: skip
    _table("xmpp_blocks", ("jid",))
    op.create_index("ix_xmpp_blocks_jid", "xmpp_blocks", ["jid"])
    _table("xmpp_nodes", ("node",), sa.Column("access", Text, nullable=False), sa.Column("most", sa.Integer, nullable=False))
    _table("xmpp_items", ("node", "item"), sa.Column("place", sa.BigInteger, nullable=False),
           sa.Column("payload", Text, nullable=False))  # fmt: skip
    op.add_column("avatars", sa.Column("sha1", Text))
    avatars = sa.table("avatars", sa.column("user"), sa.column("content"), sa.column("sha1"))
    connection = op.get_bind()
    for user in connection.execute(sa.select(avatars.c.user)).scalars().all():
        content = connection.execute(sa.select(avatars.c.content).where(avatars.c.user == user)).scalar_one()
        hash = sha1(content, usedforsecurity=False).hexdigest()
        connection.execute(sa.update(avatars).where(avatars.c.user == user).values(sha1=hash))


def _table(name: str, keys: tuple[str, ...], *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        *(sa.Column(key, Text, nullable=False) for key in ("user", *keys)),
        *columns,
        sa.PrimaryKeyConstraint("user", *keys, name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name=f"fk_{name}_user"),
    )
