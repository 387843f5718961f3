"""The extensions (XEPs), one module each. `table()` is all of them put together."""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps import chat, disco, ping, version

_ALL = (chat, disco, ping, version)


def table() -> Table:
    made = Table()
    for module in _ALL:
        module.register(made)
    return made
