"""Files that one has put on the server."""

from hongyan.client.model import FileList
from hongyan.client.rest import Rest, at


class Filing:
    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def files(self) -> FileList:
        """One's own, the newest first, and the room that they take."""
        return await self._rest.call("GET", "/v1/me/files", answer=FileList)

    async def remove_file(self, file: str) -> None:
        """Nobody has it any more. Raises NotFound."""
        await self._rest.call("DELETE", at("me", "files", file))
