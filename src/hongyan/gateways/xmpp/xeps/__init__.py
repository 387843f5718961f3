"""The extensions (XEPs), one module each. `table()` is all of them put together."""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps import chat, disco, muc, ping, self_ping, version

_ALL = (chat, disco, ping, version, self_ping, muc)


def table() -> Table:
    made = Table()
    for module in _ALL:
        module.register(made)
    return made
