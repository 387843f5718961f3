"""Verifiers and tokens in their tables: plain functions of a connection, inside a transaction where they write."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, delete, func, insert, or_, select

from hongyan.core.model import Caller
from hongyan.features.identity.model import AccountView, TokenKind, TokenView
from hongyan.features.identity.scram import Keys, Verifier
from hongyan.features.identity.tables import registrations, sha1_verifiers, tokens, verifiers
from hongyan.features.identity.tokens import Account, Embedded, Issued, Live
from hongyan.messaging.tables import users
from hongyan.store import reading


class Credentials(msgspec.Struct, frozen=True):
    """What a log-in is checked against."""

    keys: Keys
    change_password: bool
    name: str
    admin: bool


# What each log-in asks is built once: to build a statement takes longer than to ask it.
_user: BindParameter[str] = bindparam("whose")
_CREDENTIALS = (
    select(verifiers, users.c.name, users.c.admin, *(column.label(f"sha1_{column.name}") for column in sha1_verifiers.c))
    .join_from(verifiers, users, users.c.id == verifiers.c.user)
    .join(sha1_verifiers, sha1_verifiers.c.user == verifiers.c.user, isouter=True)
    .where(verifiers.c.user == _user, ~users.c.disabled)
)
_OWN = (
    select(tokens.c.id, tokens.c.kind, tokens.c.expires)
    .where(tokens.c.user == _user, tokens.c.only.is_(None))
    .order_by(tokens.c.created, tokens.c.id)
)
_OF_DEVICE = select(tokens.c.id).where(
    tokens.c.user == _user, tokens.c.kind == bindparam("its_kind"), tokens.c.device == bindparam("its_device")
)
_ADD = insert(tokens)
_HAS = select(tokens.c.id).where(tokens.c.id == bindparam("its_id"), tokens.c.user == _user)
_ended: BindParameter[list[str]] = bindparam("ended", expanding=True)
_END = delete(tokens).where(or_(tokens.c.id.in_(_ended), tokens.c.parent.in_(_ended))).returning(tokens.c.id)


def credentials(connection: Connection, user: str) -> Credentials | None:
    """None for who does not exist, is disabled, or never got a password."""
    row = connection.execute(_CREDENTIALS, {"whose": user}).one_or_none()
    if row is None:
        return None
    sha256, sha1 = Verifier(row.salt, row.iterations, row.stored_key, row.server_key), None
    if row.sha1_user is not None:
        sha1 = Verifier(row.sha1_salt, row.sha1_iterations, row.sha1_stored_key, row.sha1_server_key)
    return Credentials(Keys(sha256, sha1), row.change_password, row.name, row.admin)


def has_verifier(connection: Connection, user: str) -> bool:
    return connection.execute(select(verifiers.c.user).where(verifiers.c.user == user)).first() is not None


def put_keys(connection: Connection, new: Sequence[tuple[str, Keys]], *, change_password: bool) -> None:
    """In place of all that the users had, so that no key of an older password is left."""
    for table in (verifiers, sha1_verifiers):
        connection.execute(delete(table).where(table.c.user.in_([user for user, _ in new])))
    rows = [_row(user, keys.sha256) | {"change_password": change_password} for user, keys in new]
    connection.execute(insert(verifiers), rows)
    put_sha1(connection, [(user, keys.sha1) for user, keys in new if keys.sha1 is not None])


def put_sha1(connection: Connection, new: Sequence[tuple[str, Verifier]]) -> None:
    """For who has none."""
    if new:
        connection.execute(insert(sha1_verifiers), [_row(user, verifier) for user, verifier in new])


def has_sha1(connection: Connection) -> bool:
    """Whether anybody has such keys."""
    return connection.execute(select(sha1_verifiers.c.user).limit(1)).first() is not None


def drop_sha1(connection: Connection) -> None:
    """Everybody's."""
    connection.execute(delete(sha1_verifiers))


def _row(user: str, verifier: Verifier) -> dict[str, Any]:
    return {
        "user": user,
        "salt": verifier.salt,
        "iterations": verifier.iterations,
        "stored_key": verifier.stored_key,
        "server_key": verifier.server_key,
    }


def account(connection: Connection, user: str) -> Account | None:
    row = connection.execute(select(users.c.admin, users.c.disabled).where(users.c.id == user)).one_or_none()
    return None if row is None else Account(user, row.admin, row.disabled)


def accounts(connection: Connection) -> list[AccountView]:
    rows = connection.execute(
        select(users.c.id, users.c.name, users.c.admin, users.c.disabled, users.c.created, verifiers.c.change_password)
        .join_from(users, verifiers, verifiers.c.user == users.c.id, isouter=True)
        .where(~users.c.id.contains("@"))  # people of other servers, whose id is an address, have no account
        .order_by(users.c.id)
    )
    return [AccountView(row.id, row.name, row.admin, row.disabled, row.created, bool(row.change_password)) for row in rows]


def add_tokens(connection: Connection, new: Sequence[Issued], now: int) -> None:
    connection.execute(
        _ADD,
        [
            {
                "id": token.id,
                "user": token.user,
                "hash": bytes.fromhex(token.hash),
                "device": token.device,
                "kind": token.kind,
                "created": now,
                "expires": token.expires,
                "only": token.only if isinstance(token, Embedded) else None,
                "parent": token.parent if isinstance(token, Embedded) else None,
            }
            for token in new
        ],
    )


def has_token(connection: Connection, user: str, id: str) -> bool:
    return connection.execute(_HAS, {"its_id": id, "whose": user}).first() is not None


def count_named(connection: Connection, user: str, now: int) -> int:
    named = (tokens.c.user == user) & (tokens.c.kind == "named") & (tokens.c.expires > now)
    return int(connection.execute(select(func.count()).select_from(tokens).where(named)).scalar_one())


def oldest_beyond(
    connection: Connection, user: str, most: int, now: int, *, keep: str | None, ending: Collection[str] = ()
) -> list[str]:
    """What to end beside `ending` so that at most `most` are left: expired ones, then the oldest log-ins, never `keep` or a named
    one.
    """
    rows = [row for row in connection.execute(_OWN, {"whose": user}) if row.id not in ending]
    ids = [row.id for row in rows if row.expires <= now]
    over = len(rows) - len(ids) - most
    sessions = [row.id for row in rows if row.expires > now and row.kind in ("session", "xmpp") and row.id != keep]
    return ids + sessions[: max(0, over)]


def oldest_embedded(connection: Connection, user: str, kind: str, most: int) -> list[str]:
    """What to end of somebody's tickets, or embedded pages, so that at most `most` are left: the oldest."""
    embedded = select(tokens.c.id).where(tokens.c.user == user, tokens.c.kind == kind, tokens.c.only.is_not(None))
    ids = list(connection.execute(embedded.order_by(tokens.c.created, tokens.c.id)).scalars())
    return ids[: max(0, len(ids) - most)]


def kind_of(connection: Connection, user: str, id: str) -> tuple[str, str | None] | None:
    """Kind and `parent` of one of somebody's tokens."""
    found = select(tokens.c.kind, tokens.c.parent).where(tokens.c.id == id, tokens.c.user == user)
    row = connection.execute(found).one_or_none()
    return None if row is None else (row.kind, row.parent)


def of_device(connection: Connection, user: str, kind: TokenKind, device: str) -> list[str]:
    """Somebody's tokens of a kind on one device."""
    return list(connection.execute(_OF_DEVICE, {"whose": user, "its_kind": kind, "its_device": device}).scalars())


def of_user(connection: Connection, user: str, *, keep: str | None = None) -> list[str]:
    """Ids of all tokens but `keep`."""
    rows = connection.execute(select(tokens.c.id).where(tokens.c.user == user)).scalars()
    return [id for id in rows if id != keep]


def end_registrations(connection: Connection, user: str) -> None:
    """None of somebody's devices is woken any more. They choose their names, so none can be told from a thief's."""
    connection.execute(delete(registrations).where(registrations.c.user == user))


def end_registrations_of(connection: Connection, user: str, id: str) -> bool:
    """The device of this token, or of this registration, is not woken any more; whether it was."""
    t, r = tokens.c, registrations.c
    device = select(t.device).where(t.user == user, t.id == id).union(select(r.device).where(r.user == user, r.id == id))
    return connection.execute(delete(registrations).where(r.user == user, r.device.in_(device))).rowcount > 0


def expired(connection: Connection, now: int, limit: int) -> list[str]:
    return list(connection.execute(select(tokens.c.id).where(tokens.c.expires <= now).limit(limit)).scalars())


def end_tokens(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Delete them, and those of embedded pages that come from them; those that were there."""
    return sorted(connection.execute(_END, {"ended": list(ids)}).scalars())


def views(connection: Connection, caller: Caller, now: int) -> list[TokenView]:
    """The caller's live tokens and, behind them, their devices that sleep; of both the newest first."""
    rows = connection.execute(
        select(tokens).where(tokens.c.user == caller.user, tokens.c.expires > now).order_by(tokens.c.created.desc(), tokens.c.id)
    )
    found = [TokenView(row.id, row.device, row.kind, row.created, row.expires, row.id == caller.token_id) for row in rows]
    shown = {view.name for view in found if view.kind == "xmpp"}
    r = registrations.c
    theirs = select(r.id, r.device, r.enabled).where(r.user == caller.user).order_by(r.enabled.desc(), r.id)
    for row in connection.execute(theirs):
        if row.device not in shown:
            shown.add(row.device)
            found.append(TokenView(row.id, row.device, "asleep", row.enabled, None, current=False))
    return found


def live(connection: Connection, now: int) -> tuple[int, list[Live]]:
    """Every good token, and the position at which this is true."""
    position = reading.head(connection)
    rows = connection.execute(
        select(
            tokens.c.id,
            tokens.c.user,
            tokens.c.hash,
            tokens.c.device,
            tokens.c.kind,
            tokens.c.expires,
            tokens.c.only,
            users.c.name,
            users.c.admin,
        )
        .join_from(tokens, users, users.c.id == tokens.c.user)
        .where(tokens.c.expires > now, ~users.c.disabled)
    )
    return position, [
        Live(
            Caller(row.user, row.name, row.admin and row.only is None, row.id, row.device, row.only),
            row.hash,
            row.expires,
            position,
            ticket=row.kind == "ticket",
        )
        for row in rows
    ]
