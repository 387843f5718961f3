"""What the web gateway calls. It is put together by the server and passed in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from hongyan.config import Settings

if TYPE_CHECKING:
    from hongyan.features.avatars import Avatars
    from hongyan.features.files import Files
    from hongyan.features.identity.service import Identity
    from hongyan.features.push import Browsers
    from hongyan.features.search import Search
    from hongyan.features.timers import Timers
    from hongyan.features.xmpp import Watchers
    from hongyan.gateways.door.lent import Lodger, Streams
    from hongyan.messaging import Messaging


class WebServices(msgspec.Struct, frozen=True, kw_only=True):
    messaging: "Messaging"
    identity: "Identity"
    timers: "Timers"
    search: "Search"
    push: "Browsers"
    avatars: "Avatars"
    files: "Files"
    watchers: "Watchers"
    settings: Settings
    health: Callable[[], tuple[int, Any]]
    """The status, 200 or 503, and the body of `GET /health`: an operation.health.Report or a map like it."""
    metrics: Callable[[], bytes]
    """The text format of Prometheus."""
    streams: "Streams | None" = None
    """Of XMPP; None: that is off."""
    lodger: "Lodger | None" = None
    """Another gateway with addresses on this port."""
