"""Pictures of people."""

from litestar import Response, delete, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from hongyan.gateways.web.headers import matches
from hongyan.gateways.web.queries import given
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.schemas import AvatarHash, AvatarQuery
from hongyan.gateways.web.services import WebServices

_PICTURE = {200: ResponseSpec(bytes, description="WebP, 256 by 256 pixels", media_type="image/webp", generate_examples=False)}
_ASK = "private, no-cache"
_KEEP = "private, max-age=31536000, immutable"


def avatars(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.avatars

    @put("/v1/me/avatar", operation_id="set_avatar", tags=["people"])
    async def change(request: ApiRequest) -> AvatarHash:
        """One's picture: PNG, JPEG or WebP of up to 512 KiB, of which the middle is drawn anew."""
        return AvatarHash(await service.put(request.user, await request.body()))

    @delete("/v1/me/avatar", operation_id="remove_avatar", tags=["people"])
    async def remove(request: ApiRequest) -> None:
        """No picture any more."""
        await service.remove(request.user)

    @get("/v1/users/{user:str}/avatar", operation_id="avatar", tags=["people"], responses=_PICTURE)
    async def show(request: ApiRequest, user: Id) -> Response[bytes]:
        """Somebody's picture. With the right `hash` browsers keep it and do not ask again."""
        found = await service.get(request.user, user)
        tag = f'"{found.hash}"'
        keep = given(request.query(AvatarQuery).hash) == found.hash
        headers = {"ETag": tag, "Cache-Control": _KEEP if keep else _ASK}
        if matches(request.headers.get("if-none-match"), tag):
            return Response(b"", status_code=304, headers=headers)
        return Response(found.content, media_type="image/webp", headers=headers)

    return [change, remove, show]
