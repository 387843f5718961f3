"""What occupants of rooms are called."""

from functools import lru_cache

from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.jid import BadJid


@lru_cache(maxsize=16_384)
def nickname(name: str, user: str) -> str:
    """`Display Name (id)`: in a room nobody is called like somebody else. What an address cannot say is left out."""
    try:
        return jid.resource_part(f"{name} ({user})") if name != user else user
    except BadJid:
        return user


def user_of(nick: str) -> str:
    """Whose nickname this is, or was."""
    return nick[nick.rindex(" (") + 2 : -1] if nick.endswith(")") and " (" in nick else nick
