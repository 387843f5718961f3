"""Embedded pages."""

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from hongyan.core.errors import NotFound
from hongyan.features.identity.embedding import EmbedToken
from hongyan.gateways.web.access import EMBED_SESSION
from hongyan.gateways.web.routes.request import ApiRequest
from hongyan.gateways.web.schemas import EmbedBody
from hongyan.gateways.web.services import WebServices


def embed(services: WebServices) -> list[HTTPRouteHandler]:
    embedding, origins = services.identity.embedding, services.settings.embed.origins

    @post("/v1/embed", operation_id="embed", tags=["accounts"])
    async def ticket(request: ApiRequest, data: JSONBody[EmbedBody]) -> EmbedToken:
        """A ticket for one conversation, for ten minutes. For the server of a site, with a named token."""
        if not origins:
            raise NotFound("Embedding is switched off on this server")
        return await embedding.ticket(request.user, data.conversation)

    @post(EMBED_SESSION, operation_id="begin_embedded", tags=["accounts"])
    async def begin(request: ApiRequest) -> EmbedToken:
        """The token of an embedded page in place of its ticket: it may read one conversation, write into it and react."""
        if not origins:
            raise NotFound("Embedding is switched off on this server")
        return await embedding.begin(request.user)

    return [ticket, begin]
