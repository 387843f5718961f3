"""Which addresses of push services are taken: https, and nothing that a reader could take for another."""

import pytest

from hongyan.core.errors import Invalid
from hongyan.features.push.endpoints import parse


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example/a", "ftp://push.example/a", "https:///a", "https://", "push.example", "https://a@push.example/",
        "https://push.example:99999/", "https://push.example/a b", "https://push.example/\r\nHost: x", "https://push.example/ü",
        "https://push.example\\@127.0.0.1/", "https://push.example/#a", "",
        "https://a..b/x", "https://.a/x", f"https://{'a' * 64}.example/x",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        parse(url, private=False)


def test_origin_leaves_out_the_usual_port() -> None:
    assert parse("https://push.example/a?b=c", private=False).origin == "https://push.example"
    assert parse("https://push.example:8443/a", private=False).origin == "https://push.example:8443"
    assert parse("https://[2a00::1]/a", private=False).origin == "https://[2a00::1]"
    assert parse("https://push.example/a?b=c", private=False).target == "/a?b=c"
