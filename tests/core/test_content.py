import msgspec
import pytest

from hongyan.core.addresses import file_name
from hongyan.core.content import RECALLED, Bundle, Forwarded, Poll, Text, encode_content, in_brief, in_words
from hongyan.core.errors import Invalid, TooLarge


def test_what_a_message_says_in_words() -> None:
    poll = encode_content(Poll("吃什么？", ("米饭", "面条")), 10_000)
    bundle = Bundle("组", (Forwarded("li", "李华", 1, msgspec.Raw(b'{"type":"text","text":"x"}')),), "请看")
    assert in_words(encode_content(Text("早"), 1_000)) == "早"
    assert in_words(poll) == "📊 吃什么？\n1. 米饭\n2. 面条"
    assert in_words(encode_content(bundle, 1_000)) == "请看\n李华: x"
    assert in_words(RECALLED) == ""


def test_a_file_is_its_address_in_words_and_its_name_in_brief() -> None:
    file = encode_content(Text("https://a.example/f/%E5%B9%B4%E6%8A%A5.pdf", oob=True), 1_000)
    assert in_words(file) == "https://a.example/f/%E5%B9%B4%E6%8A%A5.pdf"
    assert in_brief(file) == "📎 年报.pdf"
    assert in_brief(encode_content(Text("早"), 1_000)) == "早"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.example/x/%E5%B9%B4.pdf?y#z", "年.pdf"),
        ("https://a.example/x/a%2Fb.pdf", "a%2Fb.pdf"),
        ("https://a.example/x/%FF.pdf", "%FF.pdf"),
        ("https://a.example/x/gpj.%E2%80%AEexe", "gpj.%E2%80%AEexe"),
        ("https://a.example/x/", "x"),
        ("https://a.example/", "a.example"),
    ],
)
def test_names_of_files(address: str, name: str) -> None:
    assert file_name(address) == name


@pytest.mark.parametrize("text", ["ftp://a.example/x", "https://a.example", "看 https://a.example/x", "https://[/x"])
def test_what_is_no_address_is_no_file(text: str) -> None:
    with pytest.raises(Invalid):
        encode_content(Text(text, oob=True), 1_000)


@pytest.mark.parametrize(
    "content",
    [Text(" "), Text("a\0"), Poll(" ", ("a", "b")), Poll("?", ("a", " ")), Poll("?", ("a", "a")), Poll("?", ("a", "b" * 201))],
)
def test_what_says_nothing_or_cannot_be_kept_is_invalid(content: Text | Poll) -> None:
    with pytest.raises(Invalid):
        encode_content(content, 10_000)


def test_a_content_that_is_too_large_is_told_so() -> None:
    with pytest.raises(TooLarge):
        encode_content(Text("长" * 400), 1_024)
