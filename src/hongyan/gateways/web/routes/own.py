"""What belongs to the caller alone: doing it, and the lists of it."""

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from hongyan.core.preferences import Preferences
from hongyan.gateways.web.queries import given
from hongyan.gateways.web.routes.request import ApiRequest
from hongyan.gateways.web.schemas import BackQuery, OwnBody, Positioned
from hongyan.gateways.web.services import WebServices
from hongyan.messaging import Bookmarks, Threads

_MOST = 100
"""Messages come along, and they may be large."""


def own(services: WebServices) -> list[HTTPRouteHandler]:
    messaging = services.messaging
    most = services.settings.limits.page

    @post("/v1/me/acts", operation_id="own", tags=["own"])
    async def act(request: ApiRequest, data: JSONBody[OwnBody]) -> Positioned:
        """A draft, a bookmark, a notification level, a status, ...: once it is durable, a position at which it is so."""
        return Positioned(await messaging.owning.do(request.user, data.act, data.client_id))

    @get("/v1/me/bookmarks", operation_id="list_bookmarks", tags=["own"])
    async def bookmarks(request: ApiRequest) -> Bookmarks:
        """One's bookmarks below the place `before`, newest first, with their messages."""
        query = request.query(BackQuery)
        return await messaging.own_lists.bookmarks(request.user, given(query.before), min(query.limit, most, _MOST))

    @get("/v1/me/threads", operation_id="list_threads", tags=["own"])
    async def threads(request: ApiRequest) -> Threads:
        """The threads that one follows below the place `before`, those with the newest messages first."""
        query = request.query(BackQuery)
        return await messaging.own_lists.threads(request.user, given(query.before), min(query.limit, most, _MOST))

    @get("/v1/me/preferences", operation_id="preferences", tags=["own"])
    async def preferences(request: ApiRequest) -> Preferences:
        """Do-not-disturb, quiet hours, keywords."""
        return await messaging.own_lists.preferences(request.user)

    return [act, bookmarks, threads, preferences]
