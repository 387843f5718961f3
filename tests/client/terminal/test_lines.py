"""Lines of a pipe as they come, in any pieces, with any bytes, and never so many that memory grows."""

import asyncio
import os
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.terminal.lines import Lines

from ..plays import until


def pieces(*chunks: bytes) -> Callable[[int, int], bytes]:
    left = list(chunks)
    return lambda file, size: left.pop(0) if left else b""


async def all_of(lines: Lines) -> list[str]:
    found = []
    while (line := await lines.next()) is not None:
        found.append(line)
    return found


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\nb"], ["a", "b"]),
        ([b"a\r\n\r\n"], ["a", ""]),
        (["李华;;周五".encode()[at : at + 1] for at in range(len("李华;;周五".encode()))], ["李华;;周五"]),
        ([b"bad \xff\xfe\n"], ["bad \ufffd\ufffd"]),
        ([], []),
    ],
)
async def test_pieces_become_lines(chunks: list[bytes], expected: list[str]) -> None:
    assert await all_of(Lines(0, pieces(*chunks))) == expected


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=20), max_size=20), st.data()
)
def test_any_split_gives_the_same_lines(lines: list[str], data: st.DataObject) -> None:
    stream = "".join(f"{line}\n" for line in lines).encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) if a != b]
    assert asyncio.run(all_of(Lines(0, pieces(*chunks)))) == lines


async def test_password_is_the_first_line_and_the_rest_is_not_lost() -> None:
    lines = Lines(0, pieces(b"secret\r\nlihua;;", b"x\n"))
    assert lines.first() == "secret"
    assert await all_of(lines) == ["lihua;;x"]


async def test_line_without_an_end_is_cut() -> None:
    found = await all_of(Lines(0, pieces(*[b"x" * 65_536] * 20)))
    assert "".join(found) == "x" * 65_536 * 20
    assert max(len(line) for line in found) <= 1024 * 1024 + 65_536


async def test_reads_only_so_far_ahead() -> None:
    calls = []
    over = False

    def endless(file: int, size: int) -> bytes:
        calls.append(file)
        return b"" if over else b"y\n"

    lines = Lines(0, endless)
    assert await lines.next() == "y"
    await until(lambda: len(calls) >= 100)
    before = threading.active_count()
    for _ in range(300):
        assert await lines.next() == "y"
    assert len(calls) <= 300 + 1 + 101
    assert threading.active_count() == before
    over = True
    assert set(await all_of(lines)) == {"y"}


async def test_real_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, "鸿雁\n".encode())
    lines = Lines(reading)
    assert await lines.next() == "鸿雁"
    os.close(writing)
    assert await lines.next() is None
    os.close(reading)
