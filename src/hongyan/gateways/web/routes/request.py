"""Requests as the routes get them."""

from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.params import PathParameter

from hongyan.core.errors import Invalid
from hongyan.core.model import Caller
from hongyan.gateways.web.addresses import UNKNOWN
from hongyan.gateways.web.problems import refused_input
from hongyan.gateways.web.queries import parse_query

T = TypeVar("T")

Id = Annotated[str, PathParameter()]
"""A part of the path."""
Number = Annotated[int, PathParameter()]
"""A part of the path that is the `seq` of an event."""


class ApiRequest(Request[Caller, None, State]):
    """`user` is the caller; without one it raises, so that a route which forgot to ask fails closed (CVE-2026-48929)."""

    async def json(self) -> Any:
        """The body in the type that the route wants. Litestar would convert loosely, "5" to 5. Raises Invalid."""
        media_type = self.content_type[0]
        if media_type and media_type != "application/json":
            raise Invalid("The body must be application/json")
        wanted = self.route_handler.parsed_fn_signature.parameters["data"].annotation
        try:
            return msgspec.json.decode(await self.body(), type=wanted)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise refused_input(error) from None

    def query(self, kind: type[T]) -> T:
        """The query in this type. Raises Invalid."""
        return parse_query(self.scope["query_string"], kind)

    @property
    def address(self) -> str:
        """Where the client is; `app.py` has looked through the proxies."""
        client = self.scope["client"]
        return client[0] if client else UNKNOWN
