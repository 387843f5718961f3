"""What a stream goes over: TCP (RFC 6120), WebSockets (RFC 7395) and BOSH (XEP-0206) differ in this, and in nothing else."""

from collections.abc import Mapping
from typing import Protocol

from hongyan.gateways.xmpp.faults import StreamFault

UNIQUE = "tls-unique"
"""A channel binding that is taken and not told of, since it is not for TLS 1.3 (RFC 9266). Clients that know no other type
(slixmpp 1.8) bind themselves by it all the same, and where it is refused they can log in by PLAIN only. The Finished of TLS 1.3
tells who sits in between no less than that of 1.2.
"""


class Wire(Protocol):
    """One connection. Nothing is written after `close`."""

    @property
    def address(self) -> str:
        """Where the other end is."""

    @property
    def secure(self) -> bool:
        """It is encrypted, or as good as that (see `xmpp.allow_plaintext`)."""

    @property
    def tls_offered(self) -> bool:
        """STARTTLS is possible, and was not done yet."""

    @property
    def bindings(self) -> Mapping[str, bytes]:
        """Channel bindings by type (RFC 5929)."""

    def open(self, attributes: Mapping[str, str]) -> None:
        """Begin the stream, or begin it anew."""

    def write(self, xml: str) -> None:
        """One whole element, in `jabber:client` or with its namespace declared."""

    def start_tls(self) -> None:
        """Write `proceed` and go on encrypted; what was sent behind the request without waiting is a fault."""

    def restart(self) -> None:
        """What comes next is the head of a new stream."""

    def logged_in(self) -> None:
        """From now on it may send larger stanzas."""

    def pause(self) -> None:
        """Read nothing until `resume`."""

    def resume(self) -> None: ...

    def close(self) -> None:
        """End the stream, after what was written."""


class Carrier(Protocol):
    """What takes the stanzas of a resource: its stream, or the way to somebody's server."""

    @property
    def address(self) -> str:
        """Where the other end is."""

    @property
    def secure(self) -> bool: ...

    def write(self, xml: str) -> None:
        """One whole stanza."""

    def pause(self) -> None:
        """Take nothing more from the other end until `go_on`."""

    def go_on(self) -> None: ...

    def fail(self, fault: StreamFault) -> None:
        """End with an error."""

    def close(self) -> None: ...
