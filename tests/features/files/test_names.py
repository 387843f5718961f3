"""Names and types that strangers give files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.features.files import safe_name, safe_type, served_type


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("年报 2026.pdf", "年报 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\photo.jpg", "photo.jpg"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("👨\u200d👩\u200d👧.png", "👨\u200d👩\u200d👧.png"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        (".htaccess", "htaccess"),
        ("字" * 100 + ".tar.gz", "字" * 65 + ".gz"),
        ("x" * 300, "x" * 200),
        ("a." + "x" * 300, "a." + "x" * 198),
    ],
)
def test_a_name_is_one_harmless_part_of_a_path(given: str, name: str) -> None:
    assert safe_name(given) == name


@given(st.text(max_size=400))
def test_whatever_the_name_is(given: str) -> None:
    name = safe_name(given)
    assert 0 < len(name.encode()) <= 200
    assert name not in (".", "..")
    assert not set(name) & set("/\\\0\r\n")
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("given", "told", "served"),
    [
        ("image/png", "image/png", "image/png"),
        ("Text/HTML; charset=utf-8", "text/html", "application/octet-stream"),
        ("image/svg+xml", "image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/xhtml+xml", "application/octet-stream"),
        *((one, one, "application/octet-stream") for one in ("text/ecmascript", "text/jscript", "text/x-javascript", "text/xsl")),
        *((one, one, "application/octet-stream") for one in ("text/javascript1.5", "text/livescript", "text/css")),
        ("text/plain", "text/plain", "text/plain"),
        ("text/plain\r\nX: y", "application/octet-stream", "application/octet-stream"),
        ("", "application/octet-stream", "application/octet-stream"),
        ("video/mp4", "video/mp4", "video/mp4"),
    ],
)
def test_types_that_browsers_run_are_not_served(given: str, told: str, served: str) -> None:
    assert safe_type(given) == told
    assert served_type(told) == served
