"""The typed errors. Each has a stable code, an HTTP status and a sentence a person can act on.

Gateways turn them into their own protocol: RFC 9457 problem details over HTTP, `{"op":"error"}` frames on a WebSocket.
"""

from typing import ClassVar


class HongyanError(Exception):
    """A refusal with a stable `code`. The text of the exception is for people; `code` is for programs."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on the server"

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after = retry_after
        """Seconds after which the same request may succeed; None when waiting does not help."""

    @property
    def type(self) -> str:
        """The stable URI of this kind of error, the `type` member of RFC 9457."""
        return f"urn:hongyan:error:{self.code}"


class Invalid(HongyanError):
    code, status, title = "invalid", 400, "The request is not valid"


class InvalidCursor(Invalid):
    code, title = "invalid-cursor", "This is not a cursor"


class NotAuthenticated(HongyanError):
    code, status, title = "not-authenticated", 401, "Log in first"


class WrongPassword(NotAuthenticated):
    code, title = "wrong-password", "The name or the password is wrong"


class Forbidden(HongyanError):
    code, status, title = "forbidden", 403, "You may not do that"


class OriginRefused(Forbidden):
    code, title = "origin-refused", "Pages of this origin may not use this server"


class NotFound(HongyanError):
    code, status, title = "not-found", 404, "There is no such thing, or you may not see it"


class MethodNotAllowed(HongyanError):
    code, status, title = "method-not-allowed", 405, "This address does not take this method"


class Conflict(HongyanError):
    code, status, title = "conflict", 409, "This does not fit what is there already"


class ClientIdReused(Conflict):
    code, title = "client-id-reused", "This client_id was used for another conversation"


class TooLarge(HongyanError):
    code, status, title = "too-large", 413, "This is larger than allowed"


class NoRoom(HongyanError):
    code, status, title = "no-room", 507, "There is no room for this"


class RateLimited(HongyanError):
    code, status, title = "rate-limited", 429, "Too many requests; wait a little"


class Overloaded(HongyanError):
    code, status, title = "overloaded", 503, "The server has too much to do; try again later"


class SearchTooSlow(HongyanError):
    code, status, title = "search-too-slow", 503, "This search takes too long; ask for less with from:, in: or a date"


class NoNode(HongyanError):
    code, status, title = "no-node", 503, "No node takes clients now; try again later"


class StoreUnavailable(HongyanError):
    code, status, title = "store-unavailable", 503, "The message store cannot be written now; nothing was stored"


class OutcomeUnknown(HongyanError):
    code, status, title = "outcome-unknown", 503, "Whether this was stored is not known; the same client_id may be sent again"


def error_kinds() -> list[type[HongyanError]]:
    """Every kind of error, for the documentation and its test."""
    found: list[type[HongyanError]] = []
    queue: list[type[HongyanError]] = [HongyanError]
    while queue:
        kind = queue.pop(0)
        found.append(kind)
        queue.extend(kind.__subclasses__())
    return found
