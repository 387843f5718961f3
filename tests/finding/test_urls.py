"""URLs that say themselves where they lead, and those that cannot be used."""

import asyncio

import pytest

from hongyan.finding import Target, aimed, find


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("nats://127.0.0.1", ["127.0.0.1:4222"]),
        ("nats://a:1,b,[::1]:3", ["a:1", "b:4222", "[::1]:3"]),
        ("nats://a:1,nats://b:2", ["a:1", "b:2"]),
        ("postgresql://hongyan:p%2Cw@db1,db2:5433/chat", ["db1:5432", "db2:5433"]),
        ("http://localhost:8440/x", ["localhost:8440"]),
    ],
)
def test_url_without_srv_is_what_it_says(url: str, places: list[str]) -> None:
    assert [str(target) for target in asyncio.run(find(url))] == places


def test_url_of_one_place_keeps_user_path_and_query() -> None:
    url = "postgresql+srv://hongyan:p%40ss@example.org/chat?sslmode=require"
    assert aimed(url, Target("::1", 5433)) == "postgresql://hongyan:p%40ss@[::1]:5433/chat?sslmode=require"
    assert aimed("nats://a:1,nats://b:2", Target("b", 2)) == "nats://b:2"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("example.org", "is no URL"),
        ("nats://", "names no host"),
        ("nats://a:1,", "names no host"),
        ("nats://a:99999", "not HOST:PORT"),
        ("nats://[::1", "malformed"),
        ("other://a", "names no port"),
        ("nats+srv://example.org:4222", "no port"),
        ("nats+srv://a.example.org,b.example.org", "one name"),
    ],
)
def test_url_that_cannot_be_used_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        asyncio.run(find(url))


def test_refusal_does_not_show_the_password() -> None:
    for rest in ("", "h:99999", "h:1,x@y:z", "[::1"):
        with pytest.raises(ValueError, match=r".") as caught:
            asyncio.run(find(f"postgresql+srv://hongyan:secret@{rest}/chat"))
        assert "secret" not in str(caught.value)
