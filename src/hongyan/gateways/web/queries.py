"""Queries, decoded into a type. Litestar would take the last of several values, and "null" for a number that may be missing."""

from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from hongyan.core.errors import Invalid
from hongyan.gateways.web.problems import refused_input

T = TypeVar("T")
G = TypeVar("G")

_MOST_FIELDS = 20


def parse_query(query: bytes, kind: type[T]) -> T:
    """Unknown names are ignored. Raises Invalid with the name of the field."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Invalid(f"The query has more than {_MOST_FIELDS} fields") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Invalid("A field of the query is there twice")
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise refused_input(error) from None


def given(value: G | msgspec.UnsetType) -> G | None:
    """What was given, or None."""
    return None if value is msgspec.UNSET else value
