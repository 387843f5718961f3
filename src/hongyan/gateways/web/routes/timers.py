"""Messages for later, and reminders."""

import msgspec
from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from hongyan.features.timers import NewReminder, NewSend, TimerList, TimerView
from hongyan.gateways.web.queries import given
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import TimerBody
from hongyan.gateways.web.services import WebServices


def timers(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.timers

    @post("/v1/me/timers", operation_id="make_timer", tags=["own"])
    async def make(request: ApiRequest, data: JSONBody[NewSend | NewReminder]) -> TimerView:
        """A message that is sent, or a reminder of one that comes, when it is due; exactly once."""
        return await service.make(request.user, data)

    @get("/v1/me/timers", operation_id="list_timers", tags=["own"])
    async def all_of_them(request: ApiRequest) -> TimerList:
        """All of one's timers, as of `cursor`; also those that could not go, with the reason."""
        return await service.all(request.user)

    @patch("/v1/me/timers/{timer:str}", operation_id="change_timer", tags=["own"])
    async def change(request: ApiRequest, timer: Id, data: JSONBody[TimerBody]) -> TimerView:
        """Another time, content or note. 404 when it has gone."""
        content = None if data.content is msgspec.UNSET else data.content
        return await service.change(request.user, timer, due=given(data.due), content=content, note=given(data.note))

    @delete("/v1/me/timers/{timer:str}", operation_id="cancel_timer", tags=["own"])
    async def cancel(request: ApiRequest, timer: Id) -> None:
        """It does not go. 404 when it has gone."""
        await service.cancel(request.user, timer)

    return [make, all_of_them, change, cancel]
