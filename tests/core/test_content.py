import msgspec
import pytest

from hongyan.core.content import RECALLED, Bundle, Forwarded, Poll, Text, encode_content, in_words
from hongyan.core.errors import Invalid, TooLarge


def test_what_a_message_says_in_words() -> None:
    poll = encode_content(Poll("吃什么？", ("米饭", "面条")), 10_000)
    bundle = Bundle("组", (Forwarded("li", "李华", 1, msgspec.Raw(b'{"type":"text","text":"x"}')),), "请看")
    assert in_words(encode_content(Text("早"), 1_000)) == "早"
    assert in_words(poll) == "📊 吃什么？\n1. 米饭\n2. 面条"
    assert in_words(encode_content(bundle, 1_000)) == "请看\n李华: x"
    assert in_words(RECALLED) == ""


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
