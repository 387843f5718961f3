"""Who is in a conversation."""

from litestar import delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from hongyan.gateways.web.queries import given
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import BanList, Members, MembersBody, MembersQuery, RoleBody
from hongyan.gateways.web.services import WebServices
from hongyan.messaging import ConversationView

_ALL = "/v1/conversations/{conversation:str}/members"
_ONE = _ALL + "/{user:str}"
_BANS = "/v1/conversations/{conversation:str}/bans"


def members(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.messaging.conversations
    page = services.settings.limits.page

    @get(_ALL, operation_id="list_members", tags=["members"])
    async def list_members(request: ApiRequest, conversation: Id) -> Members:
        """Members in order of their ids, those above `after`."""
        query = request.query(MembersQuery)
        found, more = await service.members(request.user, conversation, given(query.after), min(query.limit, page))
        return Members(found, more)

    @post(_ALL, operation_id="add_members", tags=["members"], status_code=200)
    async def add(request: ApiRequest, conversation: Id, data: JSONBody[MembersBody]) -> ConversationView:
        """Bring people in."""
        return await service.add(request.user, conversation, data.users)

    @patch(_ONE, operation_id="set_role", tags=["members"])
    async def set_role(request: ApiRequest, conversation: Id, user: Id, data: JSONBody[RoleBody]) -> ConversationView:
        """Give a role. Giving `owner` away makes the caller an admin."""
        return await service.set_role(request.user, conversation, user, data.role)

    @delete(_ONE, operation_id="remove_member", tags=["members"])
    async def remove(request: ApiRequest, conversation: Id, user: Id) -> None:
        """Remove somebody; removing oneself is leaving."""
        await service.remove(request.user, conversation, user)

    @get(_BANS, operation_id="list_bans", tags=["members"])
    async def kept_out(request: ApiRequest, conversation: Id) -> BanList:
        """Who may not come in any more; for the owner and admins."""
        return BanList(await services.messaging.bans.all(request.user, conversation))

    @put(_BANS + "/{user:str}", operation_id="ban", tags=["members"], status_code=204)
    async def ban(request: ApiRequest, conversation: Id, user: Id) -> None:
        """Remove somebody, if they are in it; only the owner and admins bring them in again."""
        await services.messaging.bans.ban(request.user, conversation, user)

    @delete(_BANS + "/{user:str}", operation_id="lift_ban", tags=["members"])
    async def lift(request: ApiRequest, conversation: Id, user: Id) -> None:
        """They may come in again."""
        await services.messaging.bans.lift(request.user, conversation, user)

    return [list_members, add, set_role, remove, kept_out, ban, lift]
