"""The REST part: a Litestar application that turns every error into a problem document."""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute

from hongyan import __version__
from hongyan.core.errors import HongyanError, Invalid, MethodNotAllowed, NotFound
from hongyan.gateways.web.problems import MEDIA_TYPE, problem, unexpected
from hongyan.gateways.web.routes import routes
from hongyan.gateways.web.routes.request import ApiRequest
from hongyan.gateways.web.services import WebServices


def build_rest(services: WebServices) -> Litestar:
    """Size, token, rate and origin have been looked at before: see `app.py`."""
    return Litestar(
        routes(services),
        request_class=ApiRequest,
        request_max_body_size=None,
        exception_handlers={HongyanError: _refused, HTTPException: _not_routed, Exception: _failed},
        openapi_config=OpenAPIConfig("Hongyan", __version__, use_handler_docstrings=True, render_plugins=[]),
        logging_config=None,
        debug=False,
    )


class Methods:
    """Which methods an address takes, for OPTIONS. Litestar's own answer names only those of one handler."""

    def __init__(self, rest: Litestar) -> None:
        self._known: dict[tuple[str, ...], set[str]] = {}
        for route in rest.routes:
            if isinstance(route, HTTPRoute):
                self._known.setdefault(tuple(route.path_format.split("/")), set()).update(route.methods)

    def at(self, path: str) -> str:
        """The value of `Allow`. Raises NotFound."""
        asked = path.split("/")
        for parts, methods in self._known.items():
            if len(parts) == len(asked) and all(part[:1] == "{" or part == at for part, at in zip(parts, asked, strict=True)):
                return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
        raise NotFound("There is nothing at this address")


def _refused(request: Request[Any, Any, Any], error: HongyanError) -> Response[bytes]:
    return _answer(error)


def _not_routed(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar found itself: no such route, no such method, no body."""
    if isinstance(error, NotFoundException):
        return _answer(NotFound("There is nothing at this address"))
    if isinstance(error, MethodNotAllowedException):
        methods = (error.headers or {}).get("allow", "")
        return _answer(MethodNotAllowed(), {"Allow": methods + ", HEAD" if "GET" in methods else methods})
    if isinstance(error, ValidationException):
        return _answer(Invalid("This needs a JSON body"))
    if error.status_code < 500:
        return _answer(Invalid(error.detail))
    return _failed(request, error)


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return _answer(unexpected(error, f"{request.method} {request.scope['path']}"))


def _answer(error: HongyanError, extra: Mapping[str, str] | None = None) -> Response[bytes]:
    status, headers, body = problem(error)
    named = {name.decode(): value.decode() for name, value in headers if name not in (b"content-type", b"content-length")}
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers={**named, **(extra or {})})
