"""XEP-0384: OMEMO, XEP-0373: OpenPGP, XEP-0380: Explicit Message Encryption. What is encrypted is content of a kind of its own
(`encryption`); this says that it may be sent.
"""

from hongyan.gateways.xmpp.encryption import EME
from hongyan.gateways.xmpp.table import Table


def register(table: Table) -> None:
    table.feature(EME, where="account")
