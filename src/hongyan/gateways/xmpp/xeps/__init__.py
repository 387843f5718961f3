"""The extensions (XEPs), one module each. `table()` is all of them put together."""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps import (
    archive,
    avatar,
    blocking,
    bookmarks,
    chat,
    correction,
    disco,
    encrypted,
    markers,
    muc,
    offline,
    pep,
    ping,
    presence,
    reactions,
    receipts,
    retraction,
    roster,
    self_ping,
    states,
    vcard,
    version,
)

_ALL = (
    archive, avatar, blocking, bookmarks, chat, correction, disco, encrypted, markers, offline, pep, ping, presence, reactions,
    receipts, retraction, roster, self_ping, states, vcard, version, muc,
)  # fmt: skip


def table() -> Table:
    made = Table()
    for module in _ALL:
        module.register(made)
    return made
