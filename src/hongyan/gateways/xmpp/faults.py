"""What goes wrong, in the words of RFC 6120: errors of streams (4.9.3), which end them, and of stanzas (8.3.3)."""

from collections.abc import Callable
from typing import Literal

from hongyan.core import errors

STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"

ErrorType = Literal["auth", "cancel", "continue", "modify", "wait"]


class StreamFault(Exception):
    """The stream ends with it."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(text or condition)
        self.condition = condition
        self.text = text


class StanzaFault(Exception):
    """The stanza is answered with it."""

    def __init__(self, condition: str, text: str = "", *, type: ErrorType | None = None, more: str = "") -> None:
        super().__init__(text or condition)
        self.condition = condition
        self.text = text
        self.more = more
        """XML of an extension that says it more precisely."""
        self.type: ErrorType = type or _TYPES[condition]


Over = Callable[[StanzaFault | None], None]
"""Called once: when a stanza was sent, or with why it could not be."""


def nothing(fault: StanzaFault | None) -> None:
    """For a stanza of which nobody is told how it went."""


_TYPES: dict[str, ErrorType] = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "cancel",
    "unexpected-request": "wait",
}

_CONDITIONS: dict[str, tuple[str, ErrorType | None]] = {
    "invalid": ("bad-request", None),
    "not-authenticated": ("not-authorized", None),
    "forbidden": ("forbidden", None),
    "not-found": ("item-not-found", None),
    "conflict": ("not-allowed", None),
    "client-id-reused": ("conflict", None),
    "too-large": ("policy-violation", None),
    "rate-limited": ("policy-violation", "wait"),
    "overloaded": ("resource-constraint", None),
    "store-unavailable": ("resource-constraint", None),
    "outcome-unknown": ("resource-constraint", None),
}


def of(error: errors.HongyanError) -> StanzaFault:
    """How a refusal of the services is told."""
    condition, type = _CONDITIONS.get(error.code, ("internal-server-error", None))
    return StanzaFault(condition, error.detail, type=type)
