"""XEP-0045: Multi-User Chat, over groups and channels. Rights and members are the services'; nothing is kept here but what a
resource was told.
"""

from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.xeps.muc import admin, entering, finding, happening, owner, speaking


def register(table: Table) -> None:
    for module in (finding, entering, speaking, happening, owner, admin):
        module.register(table)
