"""XEP-0184: Message Delivery Receipts. Requests go with messages as long as this node remembers them (`chat`); answers are
messages without a body, which go to the clients of whom they are for and nowhere else (`messages.pass_on`).
"""

from hongyan.gateways.xmpp.table import Table

NS = "urn:xmpp:receipts"


def register(table: Table) -> None:
    table.feature(NS, where="account")
