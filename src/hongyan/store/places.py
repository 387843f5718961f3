"""A list as one parameter of a statement, so that the statement is the same whatever the list: of places (lane and seq), or of
numbers.

How a list is one parameter is the one thing that the databases do not agree on.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import JSON, BigInteger, ColumnElement, FromClause, String, bindparam, cast, column, func

LIST = "list"
"""The name of the parameter; `encoded` gives its value."""


class Place(msgspec.Struct, frozen=True, gc=False):
    lane: str
    seq: int


class Places(msgspec.Struct, frozen=True):
    """The list as something to select from, and its columns."""

    each: FromClause
    lane: ColumnElement[str]
    seq: ColumnElement[int]


_json = func.json_each(bindparam(LIST)).table_valued("value")
_record = (
    func.json_to_recordset(cast(bindparam(LIST), JSON))
    .table_valued(column("lane", String), column("seq", BigInteger))
    .render_derived(with_types=True)
)
BY_DIALECT = {
    "sqlite": Places(_json, func.json_extract(_json.c.value, "$.lane"), func.json_extract(_json.c.value, "$.seq")),
    "postgresql": Places(_record, _record.c.lane, _record.c.seq),
}


class Numbers(msgspec.Struct, frozen=True):
    """A list of whole numbers, in JSON too, as something to select from."""

    each: FromClause
    number: ColumnElement[int]


_text = func.json_array_elements_text(cast(bindparam(LIST), JSON)).table_valued(column("value", String))
NUMBERS = {
    "sqlite": Numbers(_json, _json.c.value),
    "postgresql": Numbers(_text, cast(_text.c.value, BigInteger)),
}
_encode = msgspec.json.Encoder().encode


def encoded(places: Iterable[Place]) -> str:
    return _encode(list(places)).decode()
