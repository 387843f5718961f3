"""Finding people and conversations by parts of their names, in either script."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import TypeVar

from msgspec import UNSET
from sqlalchemy import ColumnElement, Connection, and_, literal, or_, select

from hongyan.features.search.folding import folded, variants
from hongyan.features.search.model import FoundConversation
from hongyan.messaging import UserView
from hongyan.messaging.tables import conversations, members, users

T = TypeVar("T")

_MOST_PATTERNS = 16
_MOST_ROWS = 2_000


def forms(name: str) -> tuple[str, ...]:
    """What a name is found by. Its pinyin joins here when the directory has it."""
    return (folded(name),)


def people(connection: Connection, wanted: str, limit: int) -> list[UserView]:
    """Whose id or display name has `wanted` in it: first whose begins with it, then in order of ids."""
    pattern = folded(wanted)
    if not pattern.strip():
        return []
    likes = [one.like(like, escape="!") for one in (users.c.id, users.c.folded) for like in _patterns(pattern)]
    wanted_rows = select(users.c.id, users.c.name, users.c.avatar).where(~users.c.disabled, or_(*likes))
    rows = connection.execute(wanted_rows.order_by(users.c.id).limit(_MOST_ROWS))
    found = [UserView(id, name, avatar or UNSET) for id, name, avatar in rows]
    return _best(found, lambda one: (one.id, one.name), pattern, limit)


def own_conversations(connection: Connection, user: str, wanted: str, limit: int) -> list[FoundConversation]:
    """The user's own whose title, or in a direct one the other's name or id, has `wanted` in it."""
    pattern = folded(wanted)
    if not pattern.strip():
        return []
    mine, other = members.alias("mine"), members.alias("other")
    direct: ColumnElement[bool] = and_(
        conversations.c.kind == "direct", other.c.conversation == conversations.c.id, other.c.user != user
    )
    rows = connection.execute(
        select(conversations.c.id, conversations.c.kind, conversations.c.title, users.c.id.label("other"), users.c.name)
        .select_from(mine.join(conversations, conversations.c.id == mine.c.conversation))
        .outerjoin(other, direct)
        .outerjoin(users, users.c.id == other.c.user)
        .where(mine.c.user == user)
        .order_by(conversations.c.id)
    )
    return _best([FoundConversation(*row) for row in rows], lambda one: (one.title, one.other, one.name), pattern, limit)


def places(connection: Connection, user: str, wanted: Iterable[str]) -> set[str]:
    """Ids of the user's own conversations that have one of these ids or titles."""
    found: set[str] = set()
    for one in wanted:
        here = (members.c.conversation == one, members.c.user == user)
        if connection.execute(select(literal(1)).where(*here)).first() is not None:
            found.add(one)
        else:
            found |= {each.id for each in own_conversations(connection, user, one, _MOST_ROWS)}
    return found


def senders(connection: Connection, user: str, wanted: Iterable[str], most: int) -> set[str]:
    """Ids of people that are called so; an account's id, or `me`, is that one alone."""
    found: set[str] = set()
    for one in wanted:
        name = user if one.lower() == "me" else one.removeprefix("@")
        if connection.execute(select(literal(1)).where(users.c.id == name)).first() is not None:
            found.add(name)
        else:
            found |= {each.id for each in people(connection, name, most)}
    return found


def _patterns(wanted: str) -> list[str]:
    """For LIKE: what may be folded to `wanted`. With too many ways to write it any character will do in some places."""
    ways: list[tuple[str, ...]] = []
    many = 1
    known = variants()
    for char in wanted:
        some = known.get(char, (char,))
        if many * len(some) > _MOST_PATTERNS:
            some = ("_",)
        elif char in "%_!":
            some = ("!" + char,)
        many *= len(some)
        ways.append(some)
    return [f"%{''.join(way)}%" for way in product(*ways)]


def _best(rows: Iterable[T], names: Callable[[T], Iterable[str | None]], pattern: str, limit: int) -> list[T]:
    begins: list[T] = []
    has: list[T] = []
    for row in rows:
        found = [form for name in names(row) if name for form in forms(name)]
        if any(form.startswith(pattern) for form in found):
            begins.append(row)
        elif any(pattern in form for form in found):
            has.append(row)
    return [*begins, *has][:limit]
