"""XEP-0059: Result Set Management: which page is asked for."""

import msgspec

from hongyan.gateways.xmpp.codec import Element, escape
from hongyan.gateways.xmpp.faults import StanzaFault

RSM = "http://jabber.org/protocol/rsm"


class Page(msgspec.Struct, frozen=True):
    limit: int
    before: str | None = None
    """Empty: the last page."""
    after: str | None = None


def asked(query: Element, usual: int, most: int) -> Page:
    """Raises StanzaFault."""
    found = query.child(f"{RSM} set")
    if found is None:
        return Page(usual)
    if found.child(f"{RSM} index") is not None:
        raise StanzaFault("feature-not-implemented", "Pages have no numbers here")
    limit = found.said(f"{RSM} max")
    if limit is not None and not (limit.isascii() and limit.isdecimal() and len(limit) < 10):
        raise StanzaFault("bad-request", "max is a number")
    before, after = found.said(f"{RSM} before"), found.said(f"{RSM} after")
    if before is not None and after:
        raise StanzaFault("bad-request", "Give before or after, not both")
    return Page(usual if limit is None else min(int(limit), most), before, after)


def told(first: str | None, last: str | None, *, index: int | None = None, count: int | None = None) -> str:
    """Of a page that has been given: its ends, the place of the first, and how many there are."""
    where = f" index='{index}'" if index is not None else ""
    ends = "" if first is None or last is None else f"<first{where}>{escape(first)}</first><last>{escape(last)}</last>"
    return f"<set xmlns='{RSM}'>{ends}{'' if count is None else f'<count>{count}</count>'}</set>"
