"""Bytes in pieces of any sizes, as a network delivers them."""

from collections.abc import Iterator

from hypothesis import strategies as st

cuts = st.lists(st.integers(1, 40), min_size=1, max_size=10)
"""Sizes, taken in turn."""


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at += size
        turn += 1
