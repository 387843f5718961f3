"""The caller's files. They come, and are had, at addresses of their own: `gateways/web/files.py`."""

from litestar import delete, get
from litestar.handlers import HTTPRouteHandler

from hongyan.features.files import FileList
from hongyan.gateways.web.routes.request import ApiRequest, Id
from hongyan.gateways.web.services import WebServices

_PATH = "/v1/me/files"


def files(services: WebServices) -> list[HTTPRouteHandler]:
    service = services.files

    @get(_PATH, operation_id="list_files", tags=["own"])
    async def all_of_them(request: ApiRequest) -> FileList:
        """What the caller has put on this server, the newest first, and how much room there is."""
        return await service.of(request.user.user)

    @delete(_PATH + "/{file:str}", operation_id="remove_file", tags=["own"])
    async def remove(request: ApiRequest, file: Id) -> None:
        """Nobody has it any more, whoever knows its address."""
        await service.remove(request.user.user, file)

    return [all_of_them, remove]
