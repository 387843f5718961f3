"""Conversations: making, finding, changing them; and the snapshot that everything starts from."""

from litestar import Response, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from msgspec import structs

from hongyan.core.owned import USUAL
from hongyan.gateways.web.queries import given
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import Channels, ChannelsQuery, ConversationList, NewChannel, NewDirect, NewGroup, SettingsBody
from hongyan.gateways.web.services import WebServices
from hongyan.messaging import ConversationView, Snapshot

_FOUND = {
    200: ResponseSpec(ConversationView, description="A direct conversation that was there already", generate_examples=False)
}


def conversations(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.messaging.conversations
    most = services.settings.limits.page

    @post("/v1/conversations", operation_id="create_conversation", tags=["conversations"], responses=_FOUND)
    async def create(request: ApiRequest, data: JSONBody[NewDirect | NewGroup | NewChannel]) -> Response[ConversationView]:
        """A new group or channel, or the one direct conversation with somebody."""
        if isinstance(data, NewDirect):
            view, new = await service.create_direct(request.user, data.members[0])
            return Response(view, status_code=201 if new else 200)
        view = await service.create_group(
            request.user,
            data.title,
            data.members,
            data.history,
            channel=isinstance(data, NewChannel),
            topic=data.topic,
            writers=data.writers,
        )
        return Response(view)

    @get("/v1/conversations", operation_id="list_conversations", tags=["conversations"])
    async def list_all(request: ApiRequest) -> ConversationList:
        """All of one's conversations, as of `cursor`."""
        found = await service.snapshot(request.user)
        return ConversationList(found.conversations, found.cursor)

    @get("/v1/snapshot", operation_id="snapshot", tags=["conversations"])
    async def snapshot(request: ApiRequest) -> Snapshot:
        """Everything a client needs at the start, as of exactly `cursor`: then follow the events after it."""
        return await service.snapshot(request.user)

    @get("/v1/conversations/{conversation:str}", operation_id="get_conversation", tags=["conversations"])
    async def get_one(request: ApiRequest, conversation: Id) -> ConversationView:
        """One conversation, as of `cursor`."""
        found = await service.get(request.user, conversation)
        return found if request.user.only is None else structs.replace(found, own=USUAL)  # drafts are none of the page's business

    @patch("/v1/conversations/{conversation:str}", operation_id="change_conversation", tags=["conversations"])
    async def change(request: ApiRequest, conversation: Id, data: JSONBody[SettingsBody]) -> ConversationView:
        """Another title, topic, history policy, or who may write: `nobody` archives it."""
        return await service.change(
            request.user,
            conversation,
            given(data.title),
            given(data.history),
            topic=given(data.topic),
            writers=given(data.writers),
        )

    @post("/v1/conversations/{conversation:str}/join", operation_id="join_channel", tags=["conversations"], status_code=200)
    async def join(request: ApiRequest, conversation: Id) -> ConversationView:
        """Come into a channel."""
        return await service.join(request.user, conversation)

    @get("/v1/channels", operation_id="list_channels", tags=["conversations"])
    async def list_channels(request: ApiRequest) -> Channels:
        """The channels there are, in order of their titles."""
        query = request.query(ChannelsQuery)
        found, more = await service.channels(request.user, query.q, query.after, min(query.limit, most))
        return Channels(found, more)

    return [create, list_all, snapshot, get_one, change, join, list_channels]
