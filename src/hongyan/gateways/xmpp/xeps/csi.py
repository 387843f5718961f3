"""XEP-0352: Client State Indication. What it does is in `outgoing.py` and `held.py`."""

from hongyan.gateways.xmpp.dialects import CSI
from hongyan.gateways.xmpp.house import House
from hongyan.gateways.xmpp.table import Table


def register(table: Table) -> None:
    table.stream_features.append(_feature)


def _feature(house: House) -> str:
    return f"<csi xmlns='{CSI}'/>"
