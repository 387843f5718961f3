"""Log-in, tokens, one's own password."""

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from hongyan.features.identity.model import IssuedToken, Login
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import LoginBody, Myself, PasswordBody, TokenBody, Tokens
from hongyan.gateways.web.services import WebServices


def accounts(services: WebServices) -> list[HTTPRouteHandler]:
    identity = services.identity

    @post("/v1/login", operation_id="login", tags=["accounts"], status_code=200)
    async def login(request: ApiRequest, data: JSONBody[LoginBody]) -> Login:
        """A new token for this device."""
        return await identity.login(data.username, data.password, data.device, request.address)

    @post("/v1/logout", operation_id="logout", tags=["accounts"], status_code=204)
    async def logout(request: ApiRequest) -> None:
        """End the token of this request and everything it keeps open."""
        await identity.logout(request.user)

    @post("/v1/password", operation_id="change_password", tags=["accounts"], status_code=204)
    async def change_password(request: ApiRequest, data: JSONBody[PasswordBody]) -> None:
        """Change one's own password; every other token ends."""
        await identity.change_password(request.user, data.old, data.new, request.address)

    @get("/v1/me", operation_id="me", tags=["accounts"])
    async def me(request: ApiRequest) -> Myself:
        """Who this token belongs to."""
        caller = request.user
        return Myself(caller.user, caller.name, caller.admin, caller.device, caller.token_id)

    @get("/v1/tokens", operation_id="list_tokens", tags=["accounts"])
    async def list_tokens(request: ApiRequest) -> Tokens:
        """One's own live tokens."""
        return Tokens(await identity.tokens(request.user))

    @post("/v1/tokens", operation_id="issue_token", tags=["accounts"])
    async def issue_token(request: ApiRequest, data: JSONBody[TokenBody]) -> IssuedToken:
        """A named token for a program. It is shown this once."""
        return await identity.issue(request.user, data.name, data.days)

    @delete("/v1/tokens/{token_id:str}", operation_id="end_token", tags=["accounts"])
    async def end_token(request: ApiRequest, token_id: Id) -> None:
        """End one of one's own tokens."""
        await identity.end(request.user, token_id)

    return [login, logout, change_password, me, list_tokens, issue_token, end_token]
