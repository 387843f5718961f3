"""Errors as RFC 9457 problem details, and the sentences of refused input."""

import logging
import math
import re

import msgspec

from hongyan.core.errors import HongyanError, Invalid, NotAuthenticated

log = logging.getLogger("hongyan.web")

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """`type` is `urn:hongyan:error:CODE` and stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    retry_after: float | None = None
    """Seconds after which the same request may succeed."""


_encode = msgspec.json.Encoder().encode
_PLACE = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_INDEX = re.compile(r"\[(\d+|\.\.\.)\]")


def problem(error: HongyanError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body."""
    body = _encode(Problem(error.type, error.title, error.status, error.detail, error.retry_after))
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after))))
    if isinstance(error, NotAuthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    return error.status, headers, body


def unexpected(error: BaseException, where: str) -> HongyanError:
    """What is told of an error that nobody foresaw: nothing. The log has it."""
    log.error("%s failed", where, exc_info=error)
    return HongyanError()


def refused_input(error: BaseException) -> Invalid:
    """The sentence for input that does not fit its type; names the field."""
    if isinstance(error, RecursionError):
        return Invalid("The body is nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return Invalid(f"The body is not JSON in UTF-8: {_plain(str(error))}")
    message = str(error)
    place = _PLACE.search(message)
    if place is None:
        return Invalid(f"The body: {_plain(message)}")
    field = _INDEX.sub(r".\1", place["path"]).strip(".")
    return Invalid(f"{field or 'The body'}: {_plain(message[: place.start()])}")


def _plain(message: str) -> str:
    message = message.replace("`", "")[:500]
    return message if message[:2].isupper() else message[:1].lower() + message[1:]
