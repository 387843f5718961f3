"""Headers of a request as ASGI has them: names in lower case, values in bytes."""

from collections.abc import Iterable

RawHeaders = Iterable[tuple[bytes, bytes]]


def all_of(headers: RawHeaders, name: bytes) -> list[str]:
    """Every value of a header, in order. HTTP header values are Latin-1 (RFC 9110, 5.5)."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def first_of(headers: RawHeaders, name: bytes) -> str | None:
    """The first value of a header; None when it is missing."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None


def matches(if_none_match: str | None, *tags: str) -> bool:
    """Whether who asks has one of these already (RFC 9110, 13.1.2)."""
    told = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return "*" in told or any(tag in told for tag in tags)
