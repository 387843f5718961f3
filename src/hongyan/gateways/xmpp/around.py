"""What a resource knows of those around it, and what it was told of them."""

from typing import TYPE_CHECKING, Any

from hongyan.gateways.xmpp.jid import Jid

if TYPE_CHECKING:
    from hongyan.features.xmpp import Circle, Contact


class Around:
    __slots__ = (
        "asked",
        "blocklist",
        "caps",
        "circle",
        "directed",
        "interested",
        "latest",
        "roster",
        "shown",
        "stale",
        "turns",
        "wants",
    )

    def __init__(self) -> None:
        self.circle: Circle | None = None
        """Read when it first asks for its roster or becomes available."""
        self.turns = self.latest = 0
        """So often the circle was asked for; the newest that has come."""
        self.interested = False
        """It has asked for the roster (RFC 6121, section 2.1.6), and was told this one."""
        self.roster: dict[str, Contact] = {}
        self.blocklist = False
        """It has asked whom its user has blocked."""
        self.shown: dict[str, dict[str, int]] = {}
        """Of whom it was told which presence: account, resource, hash."""
        self.stale: set[str] = set()
        """Of whom it is to be told when it takes something again."""
        self.directed: set[Jid] = set()
        """To whom it has sent presence of its own accord."""
        self.caps = ""
        self.wants: frozenset[str] = frozenset()
        """Nodes of whose news it wants to be told (XEP-0163, section 4.3)."""
        self.asked: dict[str, Any] = {}
        """What the client was asked: id to who wants the answer."""

    def blocks(self, who: Jid) -> bool:
        circle = self.circle
        if circle is None or not circle.blocked:
            return False
        return circle.blocks(str(who.bare), who.domain, who.resource)

    def sees(self, user: str) -> bool:
        """Each sees the other, and neither has blocked the other."""
        circle = self.circle
        contact = circle.people.get(user) if circle is not None else None
        if circle is None or contact is None or user in circle.blocked_by:
            return False
        return not circle.blocks(contact.jid, contact.jid.partition("@")[2])
