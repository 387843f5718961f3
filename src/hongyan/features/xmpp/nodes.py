"""Personal eventing (XEP-0163): what somebody publishes about themselves, in nodes with items; and what they keep for themselves.

What is published is XML of a client that was parsed and written anew; nothing here looks into it.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from hongyan.core.errors import Conflict, Invalid, NotFound, TooLarge
from hongyan.core.model import Caller, Event
from hongyan.features.xmpp.tables import items, nodes
from hongyan.features.xmpp.telling import XMPP_LANE, About, decode, draft
from hongyan.messaging import Log
from hongyan.store import Store, Transaction

Access = Literal["open", "presence", "whitelist"]
"""Who may read: everybody with an account; who is in the publisher's circle; the publisher alone."""

MOST_ITEMS = 256
_MOST_NODES = 200
_ITEM = 65_536
_ALL = 2_097_152
_NAME = 256


class Node(msgspec.Struct, frozen=True):
    name: str
    access: Access = "presence"
    most: int = 1


class Item(msgspec.Struct, frozen=True):
    id: str
    payload: str


class Published(msgspec.Struct, frozen=True):
    """The newest item of a node of somebody."""

    user: str
    node: Node
    item: Item


class Nodes:
    """`told(about)` is called on every node when something was published or taken away."""

    def __init__(self, store: Store, log: Log, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._told: Callable[[About], None] = lambda about: None
        log.fold(self._apply)

    def watch(self, told: Callable[[About], None]) -> None:
        self._told = told

    async def get(self, user: str, node: str) -> Node | None:
        return await self._store.read(lambda connection: _node(connection, user, node))

    async def names(self, user: str) -> list[Node]:
        statement = select(nodes).where(nodes.c.user == user, nodes.c.node.not_like(" %")).order_by(nodes.c.node)
        return await self._store.read(
            lambda connection: [Node(row.node, row.access, row.most) for row in connection.execute(statement)]
        )

    async def items(self, user: str, node: str, ids: Sequence[str] = (), most: int = MOST_ITEMS) -> list[Item]:
        """The newest, newest first; or those named."""
        i = items.c
        statement = select(i.item, i.payload).where(i.user == user, i.node == node).order_by(i.place.desc()).limit(most)
        if ids:
            statement = statement.where(i.item.in_(ids))
        return await self._store.read(lambda connection: [Item(*row) for row in connection.execute(statement)])

    async def latest(self, people: Sequence[str], names: Sequence[str]) -> list[Published]:
        """The newest item of each node of these names of each of these people."""
        if not people or not names:
            return []
        i = items.c
        o = items.alias().c
        newest = (
            select(func.max(o.place)).where(o.user == nodes.c.user, o.node == nodes.c.node).correlate(nodes).scalar_subquery()
        )
        found: list[Published] = []

        def read(connection: Connection) -> None:
            for at in range(0, len(people), 400):
                statement = (
                    select(nodes.c.user, nodes.c.node, nodes.c.access, nodes.c.most, i.item, i.payload)
                    .select_from(nodes.join(items, (i.user == nodes.c.user) & (i.node == nodes.c.node) & (i.place == newest)))
                    .where(nodes.c.user.in_(people[at : at + 400]), nodes.c.node.in_(names))
                    .order_by(nodes.c.user, nodes.c.node)
                )
                for user, node, access, most, item, payload in connection.execute(statement):
                    found.append(Published(user, Node(node, access, most), Item(item, payload)))

        await self._store.read(read)
        return found

    async def publish(self, caller: Caller, node: Node, item: Item, *, hidden: bool = False) -> None:
        """One item, in a node that is made if need be (and stays as it is otherwise). What is above its bound goes, oldest first.

        `hidden` ones are told to nobody. Raises TooLarge, Conflict.
        """
        if len(item.payload) > _ITEM or max(len(item.id), len(node.name)) > _NAME or "\0" in item.id + node.name:
            raise TooLarge(f"An item may have {_ITEM} characters, its id and node {_NAME}")

        def write(tx: Transaction) -> None:
            i, connection, user = items.c, tx.connection, caller.user
            there = _node(connection, user, node.name) or _make(connection, user, node)
            mine = (i.user == user, i.node == node.name)
            connection.execute(delete(items).where(*mine, i.item == item.id))
            size = func.coalesce(func.sum(func.length(i.payload)), 0)
            if connection.execute(select(size).where(i.user == user)).scalar_one() + len(item.payload) > _ALL:
                raise Conflict(f"Everything that is published may have {_ALL} characters together")
            place = connection.execute(select(func.coalesce(func.max(i.place), 0)).where(*mine)).scalar_one() + 1
            row = {"user": user, "node": node.name, "item": item.id, "place": place, "payload": item.payload}
            connection.execute(insert(items).values(**row))
            _shorten(connection, user, there)
            if not hidden:
                tx.append(draft(About(user, "node", node.name, item.id), self._clock()))

        await self._write(caller, write)

    async def retract(self, caller: Caller, node: str, id: str) -> None:
        """Raises NotFound."""

        def write(tx: Transaction) -> None:
            mine = (items.c.user == caller.user, items.c.node == node, items.c.item == id)
            if not tx.connection.execute(delete(items).where(*mine)).rowcount:
                raise NotFound("There is no such item")
            tx.append(draft(About(caller.user, "node", node, id, gone=True), self._clock()))

        await self._write(caller, write)

    async def make(self, caller: Caller, node: Node) -> None:
        """Raises Conflict when it is there."""

        def write(tx: Transaction) -> None:
            if _node(tx.connection, caller.user, node.name) is not None:
                raise Conflict("There is such a node")
            _make(tx.connection, caller.user, node)

        await self._write(caller, write)

    async def configure(self, caller: Caller, node: Node) -> None:
        """Raises NotFound."""

        def write(tx: Transaction) -> None:
            this = update(nodes).where(nodes.c.user == caller.user, nodes.c.node == node.name)
            if not tx.connection.execute(this.values(access=node.access, most=node.most)).rowcount:
                raise NotFound("There is no such node")
            _shorten(tx.connection, caller.user, node)

        await self._write(caller, write)

    async def clear(self, caller: Caller, node: str, *, whole: bool) -> None:
        """All items of a node, and (`whole`) the node. Raises NotFound."""

        def write(tx: Transaction) -> None:
            if _node(tx.connection, caller.user, node) is None:
                raise NotFound("There is no such node")
            tx.connection.execute(delete(items).where(items.c.user == caller.user, items.c.node == node))
            if whole:
                tx.connection.execute(delete(nodes).where(nodes.c.user == caller.user, nodes.c.node == node))
            tx.append(draft(About(caller.user, "node", node, gone=True), self._clock()))

        await self._write(caller, write)

    async def _write(self, caller: Caller, write: Callable[[Transaction], None]) -> None:
        self._log.require_fresh()
        await self._store.transaction(write, scope=f"xmpp:{caller.user}")

    def _apply(self, event: Event) -> None:
        if event.lane == XMPP_LANE:
            about = decode(event.content)
            if about.what == "node":
                self._told(about)


def _node(connection: Connection, user: str, node: str) -> Node | None:
    row = connection.execute(select(nodes).where(nodes.c.user == user, nodes.c.node == node)).one_or_none()
    return None if row is None else Node(row.node, row.access, row.most)


def _make(connection: Connection, user: str, node: Node) -> Node:
    if not node.name or len(node.name) > _NAME or "\0" in node.name:
        raise Invalid(f"The name of a node has 1 to {_NAME} characters")
    if connection.execute(select(func.count()).where(nodes.c.user == user)).scalar_one() >= _MOST_NODES:
        raise Conflict(f"There may be {_MOST_NODES} nodes")
    connection.execute(insert(nodes).values(user=user, node=node.name, access=node.access, most=node.most))
    return node


def _shorten(connection: Connection, user: str, node: Node) -> None:
    i = items.c
    mine = (i.user == user, i.node == node.name)
    kept = select(i.place).where(*mine).order_by(i.place.desc()).limit(1).offset(node.most)
    newest = connection.execute(kept).scalar_one_or_none()
    if newest is not None:
        connection.execute(delete(items).where(*mine, i.place <= newest))
