"""Moments as XMPP writes them (XEP-0082), and delays (XEP-0203)."""

import re
from datetime import UTC, datetime

from hongyan.gateways.xmpp.codec import quote

DELAY = "urn:xmpp:delay"
_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def written(time: int) -> str:
    """`time` is milliseconds since 1970 UTC."""
    return f"{datetime.fromtimestamp(time // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{time % 1000:03d}Z"


def read(text: str) -> int:
    """Milliseconds since 1970 UTC. Raises ValueError."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError("This is no date and time")
    moment, fraction, zone = found.groups()
    whole = datetime.fromisoformat(moment + ("+00:00" if zone == "Z" else zone))
    return round(whole.timestamp() * 1000) + (int(float(fraction) * 1000) if fraction else 0)


def delay(time: int, by: str) -> str:
    return f"<delay xmlns='{DELAY}' from='{quote(by)}' stamp='{written(time)}'/>"
