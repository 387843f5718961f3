"""The tables of CIM: plain functions of a connection, inside a transaction where they write."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, select, update

from hongyan.features.cim.model import Account, Missed, Record
from hongyan.features.cim.tables import cim_accounts, cim_missed
from hongyan.messaging.tables import conversations, users

_FIRST = 10_001
_MOST_MISSED = 1_000
"""Parts that are kept of one user."""
_AT_ONCE = 500
_ABSENT = {"node": None, "session": None, "address": None, "since": None}

_accounts = select(cim_accounts, users.c.name, users.c.disabled).join_from(cim_accounts, users, users.c.id == cim_accounts.c.user)
_number: BindParameter[int] = bindparam("its_number")
_session: BindParameter[str] = bindparam("its_session")
_its = (cim_accounts.c.number == _number) & (cim_accounts.c.session == _session)
_MOVE = update(cim_accounts).where(_its).values(position=bindparam("to"))
_END = update(cim_accounts).where(_its).values(position=bindparam("to"), **_ABSENT)
_part = (cim_missed.c.user == bindparam("whose")) & (cim_missed.c.upto == bindparam("end"))
_LEFT = update(cim_missed).where(_part).values(after=bindparam("begin"))
_NONE_LEFT = delete(cim_missed).where(_part)


class Progress(msgspec.Struct, frozen=True):
    """How far a connection has come; with `ends` it is over."""

    number: int
    user: str
    session: str
    position: int
    missed: Sequence[Missed]
    ends: bool


def account(connection: Connection, number: int) -> Account | None:
    row = connection.execute(_accounts.where(cim_accounts.c.number == number)).one_or_none()
    if row is None:
        return None
    record = Record(row.node, row.session, row.address, row.since) if row.session is not None else None
    return Account(row.number, row.user, row.name, row.open, row.disabled, row.position, record)


def numbers(connection: Connection, people: Sequence[str]) -> dict[str, int]:
    """Of those that have one."""
    found: dict[str, int] = {}
    for at in range(0, len(people), _AT_ONCE):
        some = cim_accounts.c.user.in_(people[at : at + _AT_ONCE])
        rows = connection.execute(select(cim_accounts.c.user, cim_accounts.c.number).where(some))
        found.update((user, number) for user, number in rows)
    return found


def give(connection: Connection, people: Sequence[str], *, open: bool = False, position: int | None = None) -> dict[str, int]:
    """Numbers for those that have none; the numbers of all. They have to exist. One at a time: see `numbers.SCOPE`."""
    known = numbers(connection, people)
    fresh = [user for user in dict.fromkeys(people) if user not in known]
    if fresh:
        first = (connection.scalar(select(func.max(cim_accounts.c.number))) or _FIRST - 1) + 1
        given = {user: number for number, user in enumerate(fresh, first)}
        same = {"open": open, "position": position, **_ABSENT}
        connection.execute(insert(cim_accounts), [{"number": number, "user": user, **same} for user, number in given.items()])
        known |= given
    return known


def existing(connection: Connection, people: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(people), _AT_ONCE):
        found.update(connection.execute(select(users.c.id).where(users.c.id.in_(people[at : at + _AT_ONCE]))).scalars())
    return found


def nodes_of(connection: Connection, address: str) -> list[str]:
    """Where those are who are logged in from an address."""
    found = select(cim_accounts.c.node).where(cim_accounts.c.address == address).distinct()
    return list(connection.execute(found).scalars())


def titles(connection: Connection, lanes: Sequence[str]) -> dict[str, str | None]:
    """Titles of conversations; None of direct ones."""
    rows = connection.execute(select(conversations.c.id, conversations.c.title).where(conversations.c.id.in_(lanes)))
    return {row.id: row.title for row in rows}


def log_in(connection: Connection, number: int, record: Record, position: int) -> None:
    stands = {"node": record.node, "session": record.session, "address": record.address, "since": record.since}
    connection.execute(update(cim_accounts).where(cim_accounts.c.number == number).values(position=position, **stands))


def clear(connection: Connection, number: int) -> None:
    connection.execute(update(cim_accounts).where(cim_accounts.c.number == number).values(_ABSENT))


def miss(connection: Connection, user: str, after: int, upto: int) -> None:
    """One more part. What adjoins the last becomes one with it, and so does everything when there are too many of them: then
    what was live in between comes again.
    """
    count, last = connection.execute(select(func.count(), func.max(cim_missed.c.upto)).where(cim_missed.c.user == user)).one()
    if count and (last == after or count >= _MOST_MISSED):
        mine = (cim_missed.c.user == user) & (cim_missed.c.upto == last)
        connection.execute(update(cim_missed).where(mine).values(upto=upto))
    else:
        connection.execute(insert(cim_missed).values(user=user, after=after, upto=upto))


def missed(connection: Connection, user: str) -> list[Missed]:
    """In order."""
    rows = connection.execute(
        select(cim_missed.c.after, cim_missed.c.upto).where(cim_missed.c.user == user).order_by(cim_missed.c.upto)
    )
    return [Missed(after, upto) for after, upto in rows]


def keep(connection: Connection, all: Iterable[Progress]) -> None:
    """Store how far connections have come, of those whose log-in still stands."""
    rows = sorted(all, key=lambda one: one.number)
    those = cim_accounts.c.number.in_([one.number for one in rows])
    found = connection.execute(select(cim_accounts.c.number, cim_accounts.c.session).where(those))
    sessions = {row.number: row.session for row in found}
    standing = [one for one in rows if sessions.get(one.number) == one.session]
    for ends, statement in ((False, _MOVE), (True, _END)):
        moved = [
            {"its_number": one.number, "its_session": one.session, "to": one.position} for one in standing if one.ends == ends
        ]
        if moved:
            connection.execute(statement, moved)
    left, none = [], []
    for one in standing:
        for part in one.missed:
            if part.after >= part.upto:
                none.append({"whose": one.user, "end": part.upto})
            else:
                left.append({"whose": one.user, "end": part.upto, "begin": part.after})
    if left:
        connection.execute(_LEFT, left)
    if none:
        connection.execute(_NONE_LEFT, none)
