import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.content import Text, encode_content
from hongyan.core.cursor import Cursor, parse_cursor
from hongyan.core.model import Event
from hongyan.core.wire import Entry

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: not text.isspace()
)


@given(texts, st.integers(1, 2**53), st.none() | st.just("id-1"))
def test_both_formats_say_the_same(text: str, position: int, client_id: str | None) -> None:
    event = Event(position, "lane", 7, "message", "李华", 1_700_000_000_000, client_id, encode_content(Text(text), 10**6))
    entry = Entry(event, "abc")
    as_json = msgspec.json.decode(entry.json())
    assert as_json == msgspec.msgpack.decode(entry.msgpack())
    assert as_json["content"] == {"type": "text", "text": text}
    assert ("client_id" in as_json) == (client_id is not None)
    assert parse_cursor(as_json["cursor"]) == Cursor("abc", position)


def test_bytes_are_made_once() -> None:
    entry = Entry(Event(1, "lane", 1, "message", "a", 1, None, b"{}"), "abc")
    assert entry.json() is entry.json()
    assert entry.msgpack() is entry.msgpack()


@given(st.from_regex(r"[0-9a-z]{1,16}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_cursor_survives_its_text_form(epoch: str, position: int) -> None:
    assert parse_cursor(str(Cursor(epoch, position))) == Cursor(epoch, position)
