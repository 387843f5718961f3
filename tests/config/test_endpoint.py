"""HOST:PORT as people write it."""

import pytest

from hongyan.config import Endpoint, parse_endpoint


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8440", "127.0.0.1", 8440),
        ("localhost:0", "localhost", 0),
        ("im.example.org:443", "im.example.org", 443),
        ("[::1]:8440", "::1", 8440),
        ("[2001:DB8:0::7]:65535", "2001:db8::7", 65535),
        (":8440", "", 8440),
    ],
)
def test_good_forms(text: str, host: str, port: int) -> None:
    assert parse_endpoint(text) == Endpoint(host, port)


BAD = """
8440 | localhost | localhost: | localhost:http | localhost:65536 | localhost:-1 | localhost: 80 | ::1:8440 | [::1] | [::1:8440
[local]:80 | a b:80 | -a:80 | a..b:80 | http://localhost:80 | localhost:80/ | localhost:٣ | |
"""


@pytest.mark.parametrize("text", [part.strip() for line in BAD.strip().splitlines() for part in line.split("|")])
def test_bad_forms_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|brackets|neither"):
        parse_endpoint(text)


@pytest.mark.parametrize("text", ["127.0.0.1:80", "[::1]:80", "im.example.org:80", ":80"])
def test_what_is_shown_can_be_read_again(text: str) -> None:
    assert str(parse_endpoint(text)) == text


@pytest.mark.parametrize(
    ("text", "local"), [("127.0.0.1:1", True), ("127.8.0.1:1", True), ("[::1]:1", True), ("localhost:1", True)]
)
def test_only_this_machine(text: str, local: bool) -> None:
    assert parse_endpoint(text).local is local


@pytest.mark.parametrize("text", ["0.0.0.0:1", "[::]:1", ":1", "10.0.0.1:1", "im.example.org:1"])
def test_others_can_reach_it(text: str) -> None:
    assert parse_endpoint(text).local is False
