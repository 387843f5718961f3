from typing import Any

import pytest

from hongyan.core.errors import TooLarge
from hongyan.gateways.web.bodies import Disconnected, read_body


class Coming:
    """What a client sends, part by part; then nothing comes."""

    def __init__(self, *parts: bytes | None) -> None:
        self._parts = list(parts)
        self.asked = 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        part = self._parts.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(self._parts)}


async def test_parts_become_one_body() -> None:
    assert await read_body([], Coming(b"ab", b"", b"c"), 3) == b"abc"


async def test_announced_length_over_the_bound_is_refused_before_anything_is_read() -> None:
    coming = Coming(b"abcd")
    with pytest.raises(TooLarge):
        await read_body([(b"content-length", b"4")], coming, 3)
    with pytest.raises(TooLarge):
        await read_body([(b"content-length", b"9" * 500)], coming, 3)
    assert coming.asked == 0


async def test_body_that_grows_over_the_bound_is_refused_there() -> None:
    coming = Coming(b"ab", b"cd", b"ef", b"gh")
    with pytest.raises(TooLarge):
        await read_body([], coming, 3)
    assert coming.asked == 2


async def test_client_that_hangs_up_is_not_waited_for() -> None:
    with pytest.raises(Disconnected):
        await read_body([], Coming(b"ab", None), 100)
