"""What a message says, as it stands in a stanza: the same in live delivery, in copies, in rooms and from the archive."""

from hongyan.core.content import in_words
from hongyan.core.model import Event
from hongyan.gateways.xmpp.codec import escape, quote

SID = "urn:xmpp:sid:0"


def said(event: Event) -> str:
    words = in_words(event.content)
    return f"<body>{escape(words)}</body>" if words else ""


def stanza_id(by: str, event: Event) -> str:
    """Its place in the archive of `by`, an account or a room (XEP-0359): the position in the log."""
    return f"<stanza-id xmlns='{SID}' by='{quote(by)}' id='{event.position}'/>"
