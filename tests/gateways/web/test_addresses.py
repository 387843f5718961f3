"""The client's address is taken from headers only behind listed proxies (CVE-2022-2366)."""

import pytest

from hongyan.gateways.web.addresses import UNKNOWN, Proxies

PROXIES = Proxies(["10.0.0.0/8", "2001:db8::5"])


def forwarded(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-forwarded-for", value.encode()) for value in values]


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", forwarded("203.0.113.9"), "192.0.2.1"),
        ("10.1.1.1", [], "10.1.1.1"),
        ("10.1.1.1", forwarded("203.0.113.9"), "203.0.113.9"),
        ("10.1.1.1", forwarded("1.1.1.1, 203.0.113.9"), "203.0.113.9"),  # the client wrote 1.1.1.1 itself
        ("10.1.1.1", forwarded("1.1.1.1", "203.0.113.9, 10.2.2.2"), "203.0.113.9"),
        ("10.1.1.1", forwarded("10.3.3.3, 10.2.2.2"), "10.3.3.3"),
        ("10.1.1.1", forwarded("203.0.113.9, garbage"), "10.1.1.1"),
        ("10.1.1.1", forwarded("203.0.113.9:4711"), "203.0.113.9"),
        ("10.1.1.1", forwarded("[2001:db8::9]:4711"), "2001:db8::9"),
        ("2001:db8::5", forwarded("2001:db8::9"), "2001:db8::9"),
        ("::ffff:10.1.1.1", forwarded("203.0.113.9"), "203.0.113.9"),
        ("::ffff:192.0.2.1", forwarded("203.0.113.9"), "192.0.2.1"),
        (None, forwarded("203.0.113.9"), UNKNOWN),
        ("/run/socket", forwarded("203.0.113.9"), UNKNOWN),
    ],
)
def test_client_address(peer: str | None, headers: list[tuple[bytes, bytes]], address: str) -> None:
    assert PROXIES.client(peer, headers) == address


@pytest.mark.parametrize(
    ("peer", "told", "scheme"),
    [
        ("10.1.1.1", b"https", "https"),
        ("10.1.1.1", b"http, https", "https"),
        ("10.1.1.1", b"gopher", "http"),
        ("192.0.2.1", b"https", "http"),
    ],
)
def test_scheme_of_the_client(peer: str, told: bytes, scheme: str) -> None:
    assert PROXIES.scheme(peer, "http", [(b"x-forwarded-proto", told)]) == scheme


def test_no_listed_proxy_means_no_header_is_believed() -> None:
    nobody = Proxies([])
    assert nobody.client("127.0.0.1", forwarded("203.0.113.9")) == "127.0.0.1"
    assert nobody.scheme("127.0.0.1", "http", [(b"x-forwarded-proto", b"https")]) == "http"
