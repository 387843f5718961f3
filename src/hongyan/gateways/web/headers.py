"""Headers of a request as ASGI has them: names in lower case, values in bytes."""

from collections.abc import Iterable

RawHeaders = Iterable[tuple[bytes, bytes]]


def all_of(headers: RawHeaders, name: bytes) -> list[str]:
    """Every value of a header, in order. HTTP header values are Latin-1 (RFC 9110, 5.5)."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def only(headers: RawHeaders, name: bytes) -> str | None:
    """The value of a header that may come once; None when it is missing. Raises ValueError when it comes twice."""
    found = all_of(headers, name)
    if len(found) > 1:
        raise ValueError(f"The header {name.decode()} came {len(found)} times")
    return found[0] if found else None
