"""docs/reference/errors.md names every kind of error with its status, and no other."""

from hongyan.core.errors import error_kinds
from tests.docs.pages import code, rows


def test_page_lists_exactly_the_errors_of_the_code() -> None:
    page = {(code(row[0]), int(row[1])) for row in rows("errors.md")}
    assert page == {(kind.code, kind.status) for kind in error_kinds()}


def test_each_error_is_listed_once_and_says_what_to_do() -> None:
    listed = [code(row[0]) for row in rows("errors.md")]
    assert len(listed) == len(set(listed))
    assert all(all(row) and len(row) == 4 for row in rows("errors.md"))
