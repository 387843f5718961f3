"""Foreign text cannot do anything to a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.terminal.plain import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("早上好 👍🏽 👨‍👩‍👧 ❤️ 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "早上好 👍🏽 👨‍👩‍👧 ❤️ 🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("\x9b2J", "<U+009B>2J"),
        ("a\rb\r\nc\x7f", "a␍b\nc␡"),
        ("a\tb", "a    b"),
        ("\u202egnp.exe", "<U+202E>gnp.exe"),
        ("\u2066x\u2069\u200f\ufeff", "<U+2066>x<U+2069><U+200F><U+FEFF>"),
        ("a\u2028b", "a<U+2028>b"),
        ("\ud800", "<U+D800>"),
    ],
)
def test_what_could_move_the_cursor_is_shown(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_one_line_stays_one_line() -> None:
    assert harmless("a\nb\r\nc", lines=False) == "a␊b␊c"


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "L"]), max_size=100), st.booleans())
def test_no_control_character_gets_through(text: str, lines: bool) -> None:
    shown = harmless(text, lines=lines)
    for character in shown:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") or (lines and character == "\n")
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
    assert harmless(shown, lines=lines) == shown
