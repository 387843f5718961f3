"""The extensions (XEPs), one module each. `table()` is all of them put together."""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps import chat, contacts, csi, disco, ping, register, services, session, version

_ALL = (chat, contacts, csi, disco, ping, register, services, session, version)


def table() -> Table:
    made = Table()
    for module in _ALL:
        module.register(made)
    return made
