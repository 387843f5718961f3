"""Health and metrics, for who runs the server."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import CONTENT_TYPE_LATEST

from hongyan.gateways.web.schemas import Health
from hongyan.gateways.web.services import WebServices

_HEALTH = {
    200: ResponseSpec(Health, description="The server does its work", generate_examples=False),
    503: ResponseSpec(Health, description="The server cannot do its work; `reasons` says why", generate_examples=False),
}


def operation(services: WebServices) -> list[HTTPRouteHandler]:
    @get("/health", operation_id="health", tags=["operation"], responses=_HEALTH)
    async def health() -> Response[Health]:
        """Whether the server does its work, and if not, why."""
        status, body = services.health()
        return Response(body, status_code=status)

    @get("/metrics", operation_id="metrics", tags=["operation"], media_type="text/plain")
    async def metrics() -> Response[bytes]:
        """Numbers in the text format of Prometheus."""
        return Response(services.metrics(), media_type=CONTENT_TYPE_LATEST)

    return [health, metrics]
