"""Somebody's devices as resources, and what a presence of theirs says (RFC 6121, section 4.7).

The one presence is attendance: what clients of XMPP say goes there with the XML for others of their kind (`detail`), and
comes from there, whatever node they are on.
"""

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from hongyan.bus import Device
from hongyan.core.model import Status
from hongyan.gateways.xmpp.codec import Element, escape, render
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.jid import BadJid, resource_part
from hongyan.messaging.attendance import Summary

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House

_NS = "jabber:client"
_DETAIL = 1_500
_TEXT = 100
_PASSED = frozenset({"http://jabber.org/protocol/caps c", "urn:xmpp:idle:1 idle", "http://jabber.org/protocol/nick nick"})
"""Besides show, status and priority; a delay, a picture's hash and whatever else a client may say are not its to say here."""
STATUS: dict[str, Status] = {"": "online", "chat": "online", "away": "away", "xa": "away", "dnd": "dnd"}
SHOW: dict[Status, str] = {"away": "<show>away</show>", "busy": "<show>dnd</show>", "dnd": "<show>dnd</show>", "online": ""}


def detail(name: str, stanza: Element) -> str:
    """What others of its kind are told: the resource, and the XML inside. Raises StanzaFault."""
    parts = []
    room = _DETAIL - len(name)
    for child in stanza.children:
        if child.name in _PASSED or child.name in (f"{_NS} show", f"{_NS} status", f"{_NS} priority"):
            said = render(child)
            if len(said) <= room:
                parts.append(said)
                room -= len(said)
    return f"{name}\n{''.join(parts)}"


def status_of(stanza: Element) -> Status:
    """Raises StanzaFault."""
    found = STATUS.get((stanza.said(f"{_NS} show") or "").strip())
    if found is None:
        raise StanzaFault("bad-request", "show is away, chat, dnd or xa")
    return found


def text_of(stanza: Element) -> str | None:
    """As much of it as a status may have on the platform."""
    said = " ".join((stanza.said(f"{_NS} status") or "").split())
    return "".join(c for c in said if c.isprintable())[:_TEXT] or None


def shown(house: "House", user: str) -> dict[str, str]:
    """What is inside the presence of each of their resources."""
    there = house.messaging.attendance.summary_of(user)
    if there is None:
        return {}
    own = any("<status" in device.detail for device in there.devices)  # what one device says is not what another says
    status = "" if own and there.status_text is None else status_text(there)
    found = {}
    for device in there.devices:
        if device.detail:
            name, _, inside = device.detail.partition("\n")
            found[name] = inside if "<status" in inside else f"{inside}{status}"
        elif device.transport != "xmpp":
            found[device_name(device)] = f"{SHOW[device.status]}{status}"
    return found


def status_text(there: Summary) -> str:
    """What somebody says of themselves, on all devices alike."""
    words = there.status_text
    theirs = any("<status" in device.detail for device in there.devices)  # what one device says is not what another says
    said = f"{words.emoji or ''} {words.text or ''}".strip() if words is not None else "" if theirs else there.text or ""
    return f"<status>{escape(said)}</status>" if said else ""


def device_name(device: Device) -> str:
    """A resource for a device of another door: its label, and what keeps two of the same label apart."""
    return _name(device.device, device.token_id)


@lru_cache(maxsize=16_384)
def _name(label: str, token_id: str) -> str:
    mark = sha256(f"{token_id}\n{label}".encode()).hexdigest()[:4]
    try:
        return resource_part(f"{label} {mark}")
    except BadJid:
        return mark
