"""Which pages of other sites may use the server (CVE-2023-3581)."""

import pytest

from hongyan.config import Http, Settings
from hongyan.core.errors import OriginRefused
from hongyan.gateways.web.origins import OriginRule

RULE = OriginRule(Settings(http=Http(origins=("https://portal.example", "http://Intra.example:8080"))))


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        (None, "chat.example", "http"),
        ("http://chat.example", "chat.example", "http"),
        ("HTTP://Chat.Example", "chat.EXAMPLE", "http"),
        ("https://chat.example", "chat.example:443", "https"),
        ("http://chat.example:80", "chat.example", "ws"),
        ("https://chat.example", "chat.example", "wss"),
        ("http://[::1]:8440", "[::1]:8440", "http"),
    ],
)
def test_programs_and_own_pages_are_let_in(origin: str | None, host: str, scheme: str) -> None:
    assert RULE.check(origin, host, scheme) is None


@pytest.mark.parametrize("origin", ["https://portal.example", "https://portal.example:443", "http://intra.example:8080"])
def test_listed_origin_is_let_in_and_named_for_cors(origin: str) -> None:
    assert RULE.check(origin, "chat.example", "https") == origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://chat.example.evil.example",
        "https://evilchat.example",
        "http://chat.example",  # the same host without TLS: anybody on the way can write such a page
        "https://chat.example:8443",
        "https://portal.example.evil.example",
        "http://portal.example",
        "http://intra.example",
        "null",
        "",
        "*",
        "file://",
    ],
)
def test_everything_else_is_refused(origin: str) -> None:
    with pytest.raises(OriginRefused):
        RULE.check(origin, "chat.example", "https")


def test_without_a_host_nothing_is_the_same_origin() -> None:
    with pytest.raises(OriginRefused):
        RULE.check("https://", None, "https")


def test_two_origins_or_two_hosts_are_refused() -> None:
    own = [(b"host", b"chat.example"), (b"origin", b"http://chat.example")]
    assert RULE.check_headers(own, "http") is None
    with pytest.raises(OriginRefused):
        RULE.check_headers([*own, (b"origin", b"http://evil.example")], "http")
    with pytest.raises(OriginRefused):
        RULE.check_headers([*own, (b"host", b"evil.example")], "http")
