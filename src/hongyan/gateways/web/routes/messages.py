"""Messages, history, read marks, typing."""

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from hongyan.core.errors import Invalid
from hongyan.gateways.web.frames import around_body, history_body
from hongyan.gateways.web.queries import given
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import History, HistoryQuery, Mark, Marks, MessageBody, ReadBody, Sent, TypingBody
from hongyan.gateways.web.services import WebServices

_ONE = "/v1/conversations/{conversation:str}"
_HISTORY = {200: ResponseSpec(History, description="Events, ascending", generate_examples=False)}


def messages(services: WebServices) -> list[HTTPRouteHandler]:
    messaging = services.messaging
    most = services.settings.limits.page

    @post(_ONE + "/messages", operation_id="send_message", tags=["messages"])
    async def send(request: ApiRequest, conversation: Id, data: JSONBody[MessageBody]) -> Sent:
        """Send a message; answered once it is durable. The same `client_id` again gives the first answer and stores nothing."""
        placed = await messaging.sender.send(request.user, conversation, data.client_id, data.content)
        return Sent(placed.seq, placed.position, placed.time)

    @get(_ONE + "/events", operation_id="history", tags=["messages"], responses=_HISTORY)
    async def history(request: ApiRequest, conversation: Id) -> Response[bytes]:
        """The newest events below `before`, or the oldest above `after`, or some on both sides of `around`, or the newest; always
        ascending.
        """
        query = request.query(HistoryQuery)
        before, after, around, limit = given(query.before), given(query.after), given(query.around), min(query.limit, most)
        if sum(one is not None for one in (before, after, around)) > 1:
            raise Invalid("Give one of before, after and around")
        if around is not None:
            page = await messaging.history.around(request.user, conversation, around, limit)
            return Response(around_body(page, around), media_type="application/json")
        page = await messaging.history.page(request.user, conversation, before=before, after=after, limit=limit)
        return Response(history_body(page, newest=after is None), media_type="application/json")

    @post(_ONE + "/read", operation_id="mark_read", tags=["messages"], status_code=200)
    async def read(request: ApiRequest, conversation: Id, data: JSONBody[ReadBody]) -> Mark:
        """Move one's read mark up to `seq`; it never goes back."""
        return Mark(await messaging.receipts.read(request.user, conversation, data.seq))

    @get(_ONE + "/read", operation_id="read_marks", tags=["messages"])
    async def marks(request: ApiRequest, conversation: Id) -> Marks:
        """How far each member has read, where there are at most 100: what `read` signals have told, and what was missed of it."""
        return Marks(await messaging.who.marks(request.user, conversation))

    @post(_ONE + "/typing", operation_id="typing", tags=["messages"], status_code=204)
    async def typing(request: ApiRequest, conversation: Id, data: JSONBody[TypingBody]) -> None:
        """Tell the others that one is writing, or has stopped."""
        await messaging.presence.typing(request.user, conversation, data.typing)

    return [send, history, read, marks, typing]
