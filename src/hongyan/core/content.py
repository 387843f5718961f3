"""Contents: the typed payload of a message. Input is decoded into one of these types before anything uses it."""

from typing import Annotated, Literal

import msgspec

from hongyan.core.errors import Invalid, TooLarge


class Text(msgspec.Struct, frozen=True, gc=False):
    """Text with a subset of Markdown. `type` is required from the first one on, so that old clients have said what they meant."""

    type: Literal["text"]
    text: Annotated[str, msgspec.Meta(min_length=1, extra_json_schema={"pattern": r"\S"})]


Content = Text
"""Every type of content a person can send; a union when there is a second one."""

_encode = msgspec.json.Encoder().encode


def encode_content(content: Content, max_bytes: int) -> bytes:
    """The JSON that is stored. Raises Invalid for an empty or unstorable text, TooLarge above `max_bytes` of UTF-8."""
    text = content.text
    if not text or text.isspace():
        raise Invalid("A message needs some text")
    if "\0" in text:
        raise Invalid("A text cannot contain the character U+0000")
    encoded = _encode(content)
    if len(encoded) > max_bytes:
        raise TooLarge(f"A message may have {max_bytes} bytes; this one has {len(encoded)}")
    return encoded
