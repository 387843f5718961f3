"""People of other servers who see, or ask to see, whether the caller is there."""

from litestar import delete, get, put
from litestar.handlers import HTTPRouteHandler

from hongyan.features.xmpp import WatcherList
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.services import WebServices

_PATH = "/v1/me/watchers"


def watchers(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.watchers

    @get(_PATH, operation_id="list_watchers", tags=["own"])
    async def all_of_them(request: ApiRequest) -> WatcherList:
        """All of them, by address, as of `cursor`."""
        return await service.all(request.user)

    @put(_PATH + "/{user:str}", operation_id="allow_watcher", tags=["own"], status_code=204)
    async def allow(request: ApiRequest, user: Id) -> None:
        """Who asks sees the caller's presence from now on. 404 when they do not ask (any more)."""
        await service.allow(request.user, user)

    @delete(_PATH + "/{user:str}", operation_id="refuse_watcher", tags=["own"])
    async def refuse(request: ApiRequest, user: Id) -> None:
        """They do not see the caller's presence: what they ask is refused, what was allowed is taken back."""
        await service.refuse(request.user, user)

    return [all_of_them, allow, refuse]
