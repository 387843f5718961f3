"""The directory and presence."""

from litestar import get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import Online, PeopleQuery, PersonView, PresenceBody, Users
from hongyan.gateways.web.services import WebServices


def people(services: WebServices) -> list[HTTPRouteHandler]:
    directory, presence, statuses = services.messaging.people, services.messaging.presence, services.messaging.statuses
    page = services.settings.limits.page

    @get("/v1/users", operation_id="search_users", tags=["people"])
    async def search_users(request: ApiRequest) -> Users:
        """People whose id or name begins with `prefix`, in order of their ids."""
        query = request.query(PeopleQuery)
        return Users(await directory.search(query.prefix, min(query.limit, page)))

    @get("/v1/users/{user:str}", operation_id="get_user", tags=["people"])
    async def get_user(user: Id) -> PersonView:
        """One person, and what they say of themselves."""
        found = await directory.get(user)
        return PersonView(found.id, found.name, statuses.of(found.id), found.avatar)

    @get("/v1/online", operation_id="online", tags=["people"])
    async def online() -> Online:
        """Who is there now, with which devices."""
        return Online(await presence.online())

    @put("/v1/presence", operation_id="set_presence", tags=["people"], status_code=204)
    async def set_presence(request: ApiRequest, data: JSONBody[PresenceBody]) -> None:
        """What this device says of its user, as long as it is connected."""
        presence.set_status(request.user, data.status, data.text)

    return [search_users, get_user, online, set_presence]
