"""The extensions (XEPs), one module each. `table()` is all of them put together."""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps import avatar, blocking, bookmarks, chat, disco, pep, ping, presence, roster, vcard, version

_ALL = (avatar, blocking, bookmarks, chat, disco, pep, ping, presence, roster, vcard, version)


def table() -> Table:
    made = Table()
    for module in _ALL:
        module.register(made)
    return made
