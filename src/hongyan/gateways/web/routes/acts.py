"""What is done to messages, and looking at one message closely."""

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from hongyan.gateways.web.frames import history_body
from hongyan.gateways.web.routes.request import ApiRequest, Id, Number
from hongyan.gateways.web.schemas import ActBody, History, ReadersQuery, RespondedQuery, Sent, ThreadQuery
from hongyan.gateways.web.services import WebServices
from hongyan.messaging import Page, Somebody

_ONE = "/v1/conversations/{conversation:str}"
_MESSAGE = _ONE + "/messages/{seq:int}"
_PAGE = {200: ResponseSpec(History, description="Messages, ascending", generate_examples=False)}
_CONTENT = {200: ResponseSpec(dict[str, object], description="The content of a message", generate_examples=False)}


def acts(services: WebServices) -> list[HTTPRouteHandler]:
    messaging = services.messaging
    most = services.settings.limits.page

    @post(_ONE + "/acts", operation_id="act", tags=["messages"])
    async def act(request: ApiRequest, conversation: Id, data: JSONBody[ActBody]) -> Sent:
        """Edit, recall, react, pin, vote, ...: answered with the place of the event once it is durable."""
        placed = await messaging.acts.act(request.user, conversation, data.act, data.client_id)
        return Sent(placed.seq, placed.position, placed.time)

    @get(_MESSAGE, operation_id="get_message", tags=["messages"], responses=_PAGE)
    async def message(request: ApiRequest, conversation: Id, seq: Number) -> Response[bytes]:
        """One message, and what was done to it."""
        return _page(await messaging.history.message(request.user, conversation, seq))

    @get(_MESSAGE + "/edits", operation_id="list_edits", tags=["messages"], responses=_PAGE)
    async def edits(request: ApiRequest, conversation: Id, seq: Number) -> Response[bytes]:
        """A message as it was sent, and its `edit` events; those above `after`."""
        query = request.query(ThreadQuery)
        return _page(await messaging.history.edits(request.user, conversation, seq, query.after, min(query.limit, most)))

    @get(_MESSAGE + "/thread", operation_id="list_thread", tags=["messages"], responses=_PAGE)
    async def thread(request: ApiRequest, conversation: Id, seq: Number) -> Response[bytes]:
        """The messages of its thread above `after`."""
        query = request.query(ThreadQuery)
        return _page(await messaging.history.thread(request.user, conversation, seq, query.after, min(query.limit, most)))

    @get(_MESSAGE + "/recalled", operation_id="recalled_content", tags=["messages"], responses=_CONTENT)
    async def recalled(request: ApiRequest, conversation: Id, seq: Number) -> Response[bytes]:
        """What one's own message said before one took it back a moment ago, to write it anew."""
        content = await messaging.acts.recalled_content(request.user, conversation, seq)
        return Response(content, media_type="application/json")

    @get(_MESSAGE + "/readers", operation_id="list_readers", tags=["messages"])
    async def readers(request: ApiRequest, conversation: Id, seq: Number) -> Somebody:
        """Who has read it, or, with `have=false`, has not."""
        query = request.query(ReadersQuery)
        limit = min(query.limit, most)
        return await messaging.who.read(request.user, conversation, seq, query.after, limit, have=query.have)

    @get(_MESSAGE + "/responses", operation_id="list_responses", tags=["messages"])
    async def responses(request: ApiRequest, conversation: Id, seq: Number) -> Somebody:
        """Who has reacted with the emoji `value`, or voted for the option of the number `value`."""
        query = request.query(RespondedQuery)
        limit = min(query.limit, most)
        return await messaging.who.responded(request.user, conversation, seq, query.kind, query.value, query.after, limit)

    @get(_ONE + "/pins", operation_id="list_pins", tags=["messages"], responses=_PAGE)
    async def pins(request: ApiRequest, conversation: Id) -> Response[bytes]:
        """The pinned messages, those above `after`."""
        query = request.query(ThreadQuery)
        return _page(await messaging.history.pinned(request.user, conversation, query.after, min(query.limit, most)))

    return [act, message, edits, thread, recalled, readers, responses, pins]


def _page(page: Page) -> Response[bytes]:
    return Response(history_body(page, newest=False), media_type="application/json")
