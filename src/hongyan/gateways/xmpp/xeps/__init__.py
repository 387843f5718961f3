"""The extensions (XEPs), one module each. `table()` is all of them put together."""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps import (
    archive,
    avatar,
    blocking,
    bookmarks,
    caps,
    chat,
    contacts,
    correction,
    csi,
    disco,
    encrypted,
    markers,
    muc,
    offline,
    pep,
    ping,
    presence,
    push,
    reactions,
    receipts,
    register,
    retraction,
    roster,
    self_ping,
    services,
    session,
    states,
    upload,
    vcard,
    version,
)

_ALL = (
    archive, avatar, blocking, bookmarks, caps, chat, contacts, correction, csi, disco, encrypted, markers, offline, pep, ping,
    presence, push, reactions, receipts, register, retraction, roster, self_ping, services, session, states, upload, vcard,
    version, muc,
)  # fmt: skip
"""Rooms come last: they hear of presence after others."""


def table() -> Table:
    made = Table()
    for module in _ALL:
        module.register(made)
    return made
