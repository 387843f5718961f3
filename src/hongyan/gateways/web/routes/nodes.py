"""The nodes of the cluster."""

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from hongyan.core.errors import Forbidden
from hongyan.gateways.web.routes.request import ApiRequest
from hongyan.gateways.web.schemas import NodeList, NodeView, PickedNode, PickQuery
from hongyan.gateways.web.services import WebServices


def nodes(services: WebServices) -> list[HTTPRouteHandler]:
    known = services.messaging.nodes

    @get("/v1/nodes", operation_id="list_nodes", tags=["operation"])
    async def list_nodes(request: ApiRequest) -> NodeList:
        """The nodes that are there now, with what is on them. For administrators."""
        if not request.user.admin:
            raise Forbidden("Administrators may see the nodes")
        return NodeList([NodeView(**msgspec.structs.asdict(node)) for node in known.all()])

    @get("/v1/nodes/pick", operation_id="pick_node", tags=["operation"])
    async def pick_node(request: ApiRequest) -> PickedNode:
        """A node that takes clients: the one with the fewest connections, or by `by`; `key` is what `hash` keeps together."""
        query = request.query(PickQuery)
        node = known.pick(query.by, query.key or request.user.user, query.gateway)
        return PickedNode(node.id, node.name, dict(node.addresses))

    return [list_nodes, pick_node]
