"""Names and passwords as people type them."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core import text
from hongyan.core.errors import Invalid

READABLE = [text.display_name, text.device_label, text.title]


@pytest.mark.parametrize(
    ("typed", "id"),
    [
        ("alice", "alice"),
        ("LiHua", "lihua"),
        ("李华", "李华"),
        ("Ａｌｉｃｅ", "alice"),
        ("e\u0301lise", "élise"),
        ("li.hua_2+x@"[:-1], "li.hua_2+x"),
        ("x" * 64, "x" * 64),
    ],
)
def test_account_names_that_look_the_same_are_the_same(typed: str, id: str) -> None:
    assert text.account_name(typed) == id


@pytest.mark.parametrize("char", [*":;/@\"'<>&", " ", "\t", "\n", "\u3000", "\0", "\u200b", "\u202e", "😀", "ﬁ", "\ud800"])
def test_account_name_refuses_what_breaks_addresses_and_lanes(char: str) -> None:
    with pytest.raises(Invalid):
        text.account_name(f"li{char}hua")


@pytest.mark.parametrize("typed", ["user：lihua", "li；hua", "li＠hua", "li／hua"])
def test_account_name_refuses_separators_in_full_width_too(typed: str) -> None:
    with pytest.raises(Invalid, match="cannot contain"):
        text.account_name(typed)


@pytest.mark.parametrize("typed", ["", "x" * 65, "x" * 9_999, "_tokens", "-admin", "－admin", ".hidden", "..", "＿tokens", "1אב"])
def test_account_name_refuses_wrong_lengths_and_beginnings(typed: str) -> None:
    with pytest.raises(Invalid):
        text.account_name(typed)


def test_refusal_names_the_character() -> None:
    with pytest.raises(Invalid, match=r"cannot contain U\+0020$"):
        text.account_name("li hua")
    with pytest.raises(Invalid, match=r"cannot contain /$"):
        text.account_name("li/hua")


@given(st.text(max_size=80))
def test_account_name_is_stable_and_safe_or_refused(typed: str) -> None:
    try:
        name = text.account_name(typed)
    except Invalid:
        return
    assert text.account_name(name) == name
    assert 1 <= len(name) <= 64
    assert not set(name) & set(":;/@\"'<>& \t\r\n\0")


@pytest.mark.parametrize("prepare", READABLE)
@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  Li\u00a0 \u3000Hua ", "Li Hua"),
        ("e\u0301", "é"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("葛\U000e0100", "葛\U000e0100"),
        ("\U0001fae8", "\U0001fae8"),
        ("<b> & co: 1/2", "<b> & co: 1/2"),
    ],
)
def test_readable_text_is_kept_with_single_spaces(prepare: Callable[[str], str], typed: str, shown: str) -> None:
    assert prepare(typed) == shown


@pytest.mark.parametrize("prepare", READABLE)
@pytest.mark.parametrize(
    "char",
    [
        *"\0\n\r\t\x1b\x7f\x85\u2028\u2029\u202e\u2066\u2069\u200f\u200b\ufeff\ue000\ufffe\u3164\u2800\u00ad",
        *"\ud800\U0010ffff\U000e0041",
    ],
)
def test_readable_text_refuses_controls_and_what_hides_or_turns_text(prepare: Callable[[str], str], char: str) -> None:
    with pytest.raises(Invalid, match=r"cannot contain U\+"):
        prepare(f"Li{char}Hua")


@pytest.mark.parametrize("prepare", READABLE)
@pytest.mark.parametrize("typed", ["", "   ", "\u3000", "\u200d", "\ufe0f", "\u0301"])
def test_readable_text_needs_something_to_see(prepare: Callable[[str], str], typed: str) -> None:
    with pytest.raises(Invalid):
        prepare(typed)


@pytest.mark.parametrize(("prepare", "most"), [(text.display_name, 64), (text.device_label, 64), (text.title, 200)])
def test_readable_text_has_a_longest_length(prepare: Callable[[str], str], most: int) -> None:
    assert prepare("华" * most) == "华" * most
    for length in (most + 1, 1_000_000):
        with pytest.raises(Invalid, match=f"1 to {most} characters"):
            prepare("华" * length)


def test_title_length_is_the_callers() -> None:
    assert text.title("abc", 3) == "abc"
    with pytest.raises(Invalid):
        text.title("abcd", 3)


@given(st.text(max_size=80))
def test_readable_text_is_stable_or_refused(typed: str) -> None:
    try:
        name = text.display_name(typed)
    except Invalid:
        return
    assert text.display_name(name) == name
    assert name.encode()
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)


def test_password_keeps_case_and_spaces_and_composes() -> None:
    assert text.password(" Correct Horse ") == " Correct Horse "
    assert text.password("e\u0301\u3000x") == "é x"
    assert text.password("密码密码密码密码🔑") == "密码密码密码密码🔑"


@pytest.mark.parametrize("typed", ["", "x" * 1_001, "secret-7c\0", "secret-7c\n", "secret-7c\ud800", "secret-7c\u200d"])
def test_password_refused_without_quoting_it(typed: str) -> None:
    with pytest.raises(Invalid) as refusal:
        text.password(typed)
    assert "secret" not in refusal.value.detail
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "search"), [("Straße", "STRASSE"), ("Ｌｉ Hua", "li hua"), ("Ångström", "a\u030angstro\u0308m")]
)
def test_search_does_not_see_case_and_width(name: str, search: str) -> None:
    assert text.folded(name) == text.folded(search)
