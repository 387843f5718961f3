"""Where the terminal keeps what it must remember: a state directory for each server and user, and who was here last."""

import contextlib
import hashlib
import os
import re
from pathlib import Path

import msgspec

from hongyan.client.client import Client
from hongyan.client.errors import StateInUse
from hongyan.client.model import TransportName
from hongyan.client.saved import session_in
from hongyan.client.servers import name_of

_SLOTS = 16


class Place(msgspec.Struct, frozen=True):
    """A state directory. Several terminals of one user have one each."""

    directory: Path
    first: bool = True
    """Goes on where it stopped; the others begin from now, or they would tell old news."""
    others: list[Path] = []
    """What they left unsent is taken over."""


def open_client(
    server: str, user: str, state: str | None, transport: TransportName | None, dns: str | None = None
) -> tuple[Client, Place]:
    """With the named state directory; else with one's own, or the next one when another terminal of the same user has it.

    Raises what Client raises; StateInUse when all are in use.
    """
    if state:
        return Client(server, state=state, transport=transport, dns=dns), Place(Path(state))
    base = _home() / _name(server, user.casefold())
    more = [base.with_name(f"{base.name}-{slot}") for slot in range(2, _SLOTS + 1)]
    with contextlib.suppress(StateInUse):
        client = Client(server, state=base, transport=transport, dns=dns)
        return client, Place(base, others=[directory for directory in more if directory.exists()])
    for directory in more[:-1]:
        with contextlib.suppress(StateInUse):
            return Client(server, state=directory, transport=transport, dns=dns), Place(directory, first=False)
    return Client(server, state=more[-1], transport=transport, dns=dns), Place(more[-1], first=False)


def last_user(server: str, state: str | None) -> str | None:
    """Who logged in to this server last, and need not be named again."""
    if state:
        session = session_in(Path(state), name_of(server))
        return session.user_id if session else None
    try:
        return _last(server).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def remember_user(server: str, user: str) -> None:
    with contextlib.suppress(OSError):  # a convenience only
        _last(server).write_text(f"{user}\n", encoding="utf-8")


def _home() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(home) / "hongyan"


def _last(server: str) -> Path:
    return _home() / f"{_name(server, '')}.last"


def _name(server: str, user: str) -> str:
    """Legible, and different for different servers and users."""
    server = name_of(server)
    legible = re.sub(r"[^a-z0-9.]+", "-", f"{server}-{user}".lower()).strip("-")[:80]
    return f"{legible}-{hashlib.sha256(f'{server} {user}'.encode()).hexdigest()[:8]}"
