"""Lines break where a reader expects it, at the width that the characters really take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from hongyan.client.terminal.wrap import wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("one two three four", ["one two", "three four"]),
        ("今天下午三点开会", ["今天下午三", "点开会"]),
        ("今天下午三，点开会", ["今天下午", "三，点开会"]),
        ("见附件（一）。", ["见附件", "（一）。"]),
        ("in 2026 年十一月", ["in 2026 年", "十一月"]),
        ("see https://example.org/a/long/path ok", ["see", "https://example.org/a/long/path", "ok"]),
        ("👍🏽👍🏽👍🏽", ["👍🏽👍🏽", "👍🏽"]),
        ("a\n\nb", ["a", "", "b"]),
        ("", [""]),
    ],
)
def test_breaks(text: str, lines: list[str]) -> None:
    assert wrapped(text, 10).split("\n") == lines


def test_joined_emoji_stay_joined() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert set(wrapped(family * 5, 10).split("\n")) <= {family, family * 2}


def test_first_line_has_less_room_and_the_others_an_indent() -> None:
    assert wrapped("one two three four\nfive", 14, 8, 3) == "one\n   two three\n   four\n   five"


TEXTS = st.text(st.sampled_from("ab  字，（）,.👍"), max_size=60)


@given(TEXTS, st.integers(4, 30))
def test_nothing_is_lost_but_spaces_at_the_ends(text: str, columns: int) -> None:
    assert wrapped(text, columns).replace("\n", "").replace(" ", "") == text.replace(" ", "")


@given(st.text(st.sampled_from("ab 字事"), max_size=60), st.integers(12, 30))
def test_no_line_is_too_long_but_for_what_cannot_be_broken(text: str, columns: int) -> None:
    for line in wrapped(text, columns).split("\n"):
        assert get_cwidth(line.rstrip()) <= columns or len(line.strip().split()) == 1
