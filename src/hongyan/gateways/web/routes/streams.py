"""Streams of XMPP, for administrators."""

from litestar import delete, get
from litestar.handlers import HTTPRouteHandler

from hongyan.core.errors import Forbidden, NotFound
from hongyan.gateways.door.lent import Streams
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import StreamList
from hongyan.gateways.web.services import WebServices


def streams(services: WebServices) -> list[HTTPRouteHandler]:
    def known(request: ApiRequest) -> Streams:
        if not request.user.admin:
            raise Forbidden("Administrators may see the streams")
        if services.streams is None:
            raise NotFound("XMPP is switched off on this server")
        return services.streams

    @get("/v1/xmpp/streams", operation_id="list_xmpp_streams", tags=["operation"])
    async def list_streams(request: ApiRequest) -> StreamList:
        """Those of clients and to other servers, on the node that answers."""
        return StreamList(known(request).all())

    @delete("/v1/xmpp/streams/{stream_id:str}", operation_id="end_xmpp_stream", tags=["operation"])
    async def end_stream(request: ApiRequest, stream_id: Id) -> None:
        """End one. Whoever it is may come back; a client whose log-in is to end has a token."""
        if not known(request).end(stream_id):
            raise NotFound("There is no such stream on this node")

    return [list_streams, end_stream]
