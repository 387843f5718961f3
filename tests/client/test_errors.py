"""Refusals come back as the types of the core; what a proxy says is no refusal."""

import msgspec
import pytest

from hongyan.client import errors
from hongyan.client.errors import Interposed, Unreachable, from_answer, from_frame, is_temporary, refusal, wait_of
from hongyan.core.errors import HongyanError, Invalid, NotFound, Overloaded, RateLimited, error_kinds


def problem(**members: object) -> bytes:
    return msgspec.json.encode(members)


@pytest.mark.parametrize("kind", error_kinds())
def test_every_code_is_its_type_again(kind: type[HongyanError]) -> None:
    error = from_answer(kind.status, problem(type=f"urn:hongyan:error:{kind.code}", detail="why", retry_after=3), None)
    assert type(error) is kind
    assert (str(error), wait_of(error)) == ("why", 3.0)
    assert type(from_frame(f"urn:hongyan:error:{kind.code}", "why", None)) is kind


def test_code_of_a_newer_server_is_the_nearest_type() -> None:
    assert type(refusal("lost-in-space", 404, "")) is NotFound
    assert type(refusal("teapot", 418, "")) is Invalid
    assert type(refusal("melting", 599, "")) is HongyanError


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"<html>nginx</html>"),
        (403, b""),
        (401, b'{"type":"about:blank","title":"Unauthorized"}'),
        (502, b"\xff\xfe"),
        (400, b"[1]"),
    ],
)
def test_what_a_proxy_answers_is_no_refusal_and_may_be_tried_again(status: int, body: bytes) -> None:
    error = from_answer(status, body, None)
    assert isinstance(error, Interposed)
    assert is_temporary(error)


@pytest.mark.parametrize(("header", "wait"), [("120", 120.0), ("0", 0.0), ("Fri, 31 Dec 1999 23:59:59 GMT", None), ("-1", None)])
def test_retry_after_header_is_read_when_it_is_seconds(header: str, wait: float | None) -> None:
    assert wait_of(from_answer(503, b"busy", header)) == wait


def test_body_wins_over_the_header() -> None:
    error = from_answer(429, problem(type="urn:hongyan:error:rate-limited", retry_after=1.5), "9")
    assert isinstance(error, RateLimited)
    assert wait_of(error) == 1.5


def test_nobody_waits_for_a_year() -> None:
    assert wait_of(Overloaded(retry_after=31_536_000.0)) == errors.LONGEST_WAIT


def test_what_is_temporary() -> None:
    temporary = {kind.code for kind in error_kinds() if is_temporary(kind())}
    busy = {"overloaded", "rate-limited", "search-too-slow", "no-node"}
    assert temporary == {"internal", "outcome-unknown", "store-unavailable", *busy}
    assert is_temporary(Unreachable())
    assert not is_temporary(ValueError())
