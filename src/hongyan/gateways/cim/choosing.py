"""Which node a client is sent to: one that takes clients, by the way that is set, and that answers."""

import asyncio
import logging

import msgspec

from hongyan import config
from hongyan.bus import NodeInfo
from hongyan.config import Endpoint, parse_endpoint
from hongyan.core.errors import NoNode, NotFound
from hongyan.messaging import Messaging

log = logging.getLogger("hongyan.cim")

GATEWAY = "cim"
ROUTE = "cim-route"
_ANSWER_SECONDS = 1.0
_GOOD_SECONDS = 1.0
"""That an answer is good for."""


class Chosen(msgspec.Struct, frozen=True):
    """A node's ports, as clients reach them."""

    tcp: Endpoint
    route: Endpoint


class Choosing:
    def __init__(self, messaging: Messaging, settings: config.Cim) -> None:
        self._messaging = messaging
        self._settings = settings
        self._good: dict[str, float] = {}
        """Addresses that answered, and until when that is good."""

    async def choose(self, key: str, reached: str) -> Chosen | None:
        """None when there is none. `reached` is how this node was called."""
        silent: set[str] = set()
        while True:
            try:
                node = self._messaging.nodes.pick(self._settings.balance, key, GATEWAY, silent)
            except (NoNode, NotFound):
                return None
            own = node.id == self._messaging.node
            if own or await self._answers(node.addresses[GATEWAY]):
                return self._described(node, reached if own else "")
            log.warning("node %s does not answer at %s: clients are sent elsewhere", node.name, node.addresses[GATEWAY])
            silent.add(node.id)

    def _described(self, node: NodeInfo, reached: str) -> Chosen:
        tcp = parse_endpoint(node.addresses[GATEWAY])
        route = parse_endpoint(node.addresses.get(ROUTE, node.addresses[GATEWAY]))
        settings = self._settings
        if reached and not settings.address and parse_endpoint(settings.listen).everywhere:
            tcp = Endpoint(reached, tcp.port)  # whoever came this way can come again
        return Chosen(tcp, route)

    async def _answers(self, address: str) -> bool:
        now = asyncio.get_running_loop().time()
        if self._good.get(address, 0.0) > now:
            return True
        endpoint = parse_endpoint(address)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        self._good = {known: until for known, until in self._good.items() if until > now}
        self._good[address] = now + _GOOD_SECONDS
        return True
