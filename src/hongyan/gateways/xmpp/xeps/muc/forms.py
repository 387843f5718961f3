"""Data forms (XEP-0004)."""

from collections.abc import Iterable

from hongyan.gateways.xmpp.codec import Element, escape, quote
from hongyan.gateways.xmpp.faults import StanzaFault

DATA = "jabber:x:data"

Field = tuple[str, str, str, str]
"""Name, type, label, value."""


def form(type: str, of: str, fields: Iterable[Field], title: str = "") -> str:
    parts = [f"<field var='FORM_TYPE' type='hidden'><value>{escape(of)}</value></field>"]
    for name, kind, label, value in fields:
        shown = f" label='{quote(label)}'" if label else ""
        parts.append(f"<field var='{quote(name)}' type='{kind}'{shown}><value>{escape(value)}</value></field>")
    head = f"<title>{escape(title)}</title>" if title else ""
    return f"<x xmlns='{DATA}' type='{type}'>{head}{''.join(parts)}</x>"


def submitted(x: Element, of: str) -> dict[str, str]:
    """The first value of each field. Raises StanzaFault."""
    found = {field.get("var"): field.said(f"{DATA} value") or "" for field in x.all(f"{DATA} field")}
    if found and found.pop("FORM_TYPE", of) != of:
        raise StanzaFault("bad-request", "This is another form")
    return found


def truth(value: str) -> bool:
    """Raises StanzaFault."""
    if value not in ("0", "1", "true", "false"):
        raise StanzaFault("bad-request", "This field is 0 or 1")
    return value in ("1", "true")
