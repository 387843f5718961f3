"""Who asks. Everything that is not listed in `access.py` goes through here, on every transport."""

import re

from hongyan.core.errors import NotAuthenticated
from hongyan.core.model import Caller
from hongyan.gateways.web.headers import RawHeaders, all_of
from hongyan.gateways.web.services import WebServices

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,512}) *", re.ASCII | re.IGNORECASE)


def bearer_token(headers: RawHeaders) -> str | None:
    """The token of the Authorization header (RFC 6750, 2.1); None when there is no such header. Raises NotAuthenticated."""
    found = all_of(headers, b"authorization")
    if not found:
        return None
    match = _BEARER.fullmatch(found[0])
    if match is None or len(found) > 1:
        raise NotAuthenticated("The Authorization header has the form: Bearer TOKEN")
    return match[1]


async def authenticate(headers: RawHeaders, services: WebServices, *, ticket: bool = False) -> Caller:
    """The user behind the token of a request, or a `ticket` where one may be shown. Raises NotAuthenticated, Overloaded."""
    token = bearer_token(headers)
    if token is None:
        raise NotAuthenticated("This needs the header Authorization: Bearer TOKEN")
    return await services.identity.find(token, ticket=ticket)
