"""Finding messages, people and conversations."""

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from hongyan.features.search import Fields, Found, FoundConversations
from hongyan.gateways.web.queries import given
from hongyan.gateways.web.routes.request import ApiRequest
from hongyan.gateways.web.schemas import NameQuery, SearchQuery, Users
from hongyan.gateways.web.services import WebServices

_FOUND = {200: ResponseSpec(Found, description="Messages that the caller may read", generate_examples=False)}


def search(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.search
    most = services.settings.limits.page

    @get("/v1/search", operation_id="search", tags=["search"], responses=_FOUND)
    async def messages(request: ApiRequest) -> Response[bytes]:
        """Messages in which everything is that `q` asks for: the newest first or, with `order=relevance`, the best first."""
        query = request.query(SearchQuery)
        fields = Fields(given(query.sender), given(query.place), given(query.before), given(query.after), given(query.has))
        found = await service.messages(
            request.user, query.q, fields, order=query.order, limit=query.limit, page=given(query.page)
        )
        return Response(msgspec.json.encode(found), media_type="application/json")

    @get("/v1/search/people", operation_id="search_people", tags=["search"])
    async def people(request: ApiRequest) -> Users:
        """People whose id or name has `q` in it, in traditional or simplified characters."""
        query = request.query(NameQuery)
        return Users(await service.people(request.user, query.q, min(query.limit, most)))

    @get("/v1/search/conversations", operation_id="search_conversations", tags=["search"])
    async def conversations(request: ApiRequest) -> FoundConversations:
        """One's own conversations whose title, or in a direct one the other's name, has `q` in it."""
        query = request.query(NameQuery)
        return FoundConversations(await service.conversations(request.user, query.q, min(query.limit, most)))

    return [messages, people, conversations]
