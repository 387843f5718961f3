"""Web Push: this device's subscription."""

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from hongyan.features.push import NewSubscription, PushView
from hongyan.gateways.web.routes.request import ApiRequest
from hongyan.gateways.web.services import WebServices

_PATH = "/v1/me/push"


def push(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.push

    @get(_PATH, operation_id="push", tags=["own"])
    async def view(request: ApiRequest) -> PushView:
        """The key to subscribe with, and whether this token has a subscription. 404 where push is switched off."""
        return await service.view(request.user)

    @post(_PATH, operation_id="subscribe_push", tags=["own"], status_code=204)
    async def subscribe(request: ApiRequest, data: JSONBody[NewSubscription]) -> None:
        """This token's subscription, in place of the one before; it ends with the token."""
        await service.subscribe(request.user, data)

    @delete(_PATH, operation_id="unsubscribe_push", tags=["own"])
    async def unsubscribe(request: ApiRequest) -> None:
        """This token is told of nothing any more."""
        await service.unsubscribe(request.user)

    return [view, subscribe, unsubscribe]
