"""The extensions (XEPs), one module each. `table()` is all of them put together."""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps import (
    archive,
    chat,
    correction,
    disco,
    encrypted,
    markers,
    offline,
    ping,
    reactions,
    receipts,
    retraction,
    states,
    version,
)

_ALL = (
    archive, chat, correction, disco, encrypted, markers, offline, ping, reactions, receipts, retraction, states, version,
)  # fmt: skip


def table() -> Table:
    made = Table()
    for module in _ALL:
        module.register(made)
    return made
