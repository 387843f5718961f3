"""Push services of other servers are told that a device should wake (XEP-0357, section 7)."""

from typing import TYPE_CHECKING

from hongyan.features.push import Outcome
from hongyan.features.xmpp import Summary, Wake
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import escape, quote
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.forms import DATA

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.s2s.asking import Asking

PUBSUB = "http://jabber.org/protocol/pubsub"
PUSH = "urn:xmpp:push:0"
SOMETHING = "New message"
"""Apps take a notification with a body for one that somebody shall see, and may be let sleep with one without (as Prosody and
ejabberd do).
"""
_PASSES = frozenset(
    (
        "internal-server-error",
        "recipient-unavailable",
        "remote-server-not-found",
        "remote-server-timeout",
        "resource-constraint",
        "service-unavailable",
    )
)
"""Errors that speak of the service, and not of this node of it."""


class Publishing:
    def __init__(self, house: "House", asking: "Asking") -> None:
        self._house = house
        self._asking = asking
        self._details = house.settings.xmpp.push_details

    async def publish(self, wake: Wake, summary: Summary) -> Outcome:
        """What was not taken may be tried again; who does not answer may have taken it."""
        try:
            answer = await self._asking.ask(jid.parse(wake.to.service), self._published(wake, summary))
        except StanzaFault:
            return Outcome("later")
        except TimeoutError:
            return Outcome("failed")
        if not answer.error:
            return Outcome("sent")
        return Outcome("later" if answer.type == "wait" or answer.error in _PASSES else "gone")

    def _published(self, wake: Wake, summary: Summary) -> str:
        fields = {"FORM_TYPE": "urn:xmpp:push:summary", "message-count": str(max(1, summary.unread))}
        if summary.asking:
            fields["pending-subscription-count"] = str(summary.asking)
        if self._details and wake.sender is not None:
            fields["last-message-sender"] = str(self._house.jid(wake.sender))
        fields["last-message-body"] = wake.words if self._details and wake.words else SOMETHING
        form = "".join(f"<field var='{var}'><value>{escape(value)}</value></field>" for var, value in fields.items())
        notification = f"<notification xmlns='{PUSH}'><x xmlns='{DATA}' type='submit'>{form}</x></notification>"
        options = f"<publish-options>{summary.options}</publish-options>" if summary.options else ""
        node = quote(wake.to.node)
        return f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item>{notification}</item></publish>{options}</pubsub>"
