"""What can go wrong at the client's side, and the server's problem details turned back into their types.

The server's refusals are the types of `hongyan.core.errors`. What is named here never came from a server.
"""

from typing import Any

import msgspec

from hongyan.core.errors import (
    Conflict,
    Forbidden,
    HongyanError,
    Invalid,
    MethodNotAllowed,
    NoRoom,
    NotAuthenticated,
    NotFound,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    error_kinds,
)

_BY_STATUS: dict[int, type[HongyanError]] = {
    400: Invalid,
    401: NotAuthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    409: Conflict,
    413: TooLarge,
    429: RateLimited,
    503: Overloaded,
}
_PREFIX = "urn:hongyan:error:"
LONGEST_WAIT = 3600.0
"""Seconds. A proxy that asks for a year gets an hour."""


class ClientError(Exception):
    """Something at this end, or between the ends."""


class Unreachable(ClientError):
    """The server could not be reached, or the connection broke. Trying again may help."""


class Unconnected(Unreachable):
    """There was no connection to begin with: nothing was sent."""


class TransportBroken(ClientError):
    """This transport does not get through, although the server may well be there."""


class Interposed(TransportBroken):
    """Something between the ends answered instead of the server: a proxy, a portal, another program on its port."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"Something that is no Hongyan server answered with status {status}")
        self.status = status
        self.retry_after = retry_after


class Closed(ClientError):
    """The client was closed."""


class StateInUse(ClientError):
    """Another client has this state directory."""


class StateUnusable(ClientError):
    """The state directory cannot be written or its contents are damaged. What was to be kept is not kept."""


class StreamEnded(ClientError):
    """The server ended the stream and said what to do next."""

    def __init__(self, do: str, after: float | None = None, reason: str = "") -> None:
        super().__init__(reason or do)
        self.do = do
        """`resume`, `later`, `login` or `stop`."""
        self.retry_after = after
        """Seconds to wait, with `later`; None when the server did not say."""


class _Problem(msgspec.Struct):
    type: str = ""
    title: str = ""
    detail: str = ""
    retry_after: float | None = None


def refusal(code: str, status: int, detail: str, retry_after: float | None = None) -> HongyanError:
    """The typed error for a code; for a code of a newer server the nearest type by status."""
    for kind in error_kinds():
        if kind.code == code:
            return kind(detail, retry_after=retry_after)
    nearest = _BY_STATUS.get(status) or (Invalid if 400 <= status < 500 else HongyanError)
    return nearest(detail, retry_after=retry_after)


def from_answer(status: int, body: bytes, retry_after: str | None) -> HongyanError | Interposed:
    """Read an HTTP answer of status 400 or above.

    Only a problem document with a type of Hongyan's is a refusal: what a proxy says about a path does not make a send wrong.
    """
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = _Problem()
    wait = problem.retry_after
    if wait is None and retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        wait = float(retry_after)
    if not problem.type.startswith(_PREFIX):
        return Interposed(status, wait)
    detail = problem.detail or problem.title or f"The server answered {status}"
    return refusal(problem.type.removeprefix(_PREFIX), status, detail, wait)


def from_frame(frame_type: str | None, detail: str | None, retry_after: float | None) -> HongyanError:
    """Read an error frame of a WebSocket, which carries no status."""
    return refusal((frame_type or "").removeprefix(_PREFIX), 500, detail or "", retry_after)


def is_temporary(error: Exception) -> bool:
    """Whether the same request may succeed later, unchanged."""
    if isinstance(error, (Unreachable, TransportBroken, StreamEnded)):
        return True
    return isinstance(error, HongyanError) and (_of_the_server(error) or error.status in (408, 425, 429))


def is_elsewhere(error: BaseException | None) -> bool:
    """Whether another server may do what this one did not."""
    if isinstance(error, (Unreachable, TransportBroken, StreamEnded)):
        return True
    return isinstance(error, HongyanError) and _of_the_server(error)


def _of_the_server(error: HongyanError) -> bool:
    return error.status >= 500 and not isinstance(error, NoRoom)


def is_undone(error: Exception) -> bool:
    """Whether the server has certainly not done what it was asked, so that another one may be asked the same."""
    return isinstance(error, (Unconnected, Overloaded, StoreUnavailable))


def wait_of(error: Exception) -> float | None:
    """Seconds that the server asked to wait, if it did."""
    wait: Any = getattr(error, "retry_after", None)
    return min(float(wait), LONGEST_WAIT) if wait is not None else None
