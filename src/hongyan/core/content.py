"""Contents: the typed payload of a message. Input is decoded into one of these types before anything uses it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hongyan.core.addresses import addresses_file, file_name
from hongyan.core.errors import Invalid, TooLarge

ALL = "@all"
ADMINS = "@admins"
"""Mentions that are no account's id: everybody in the conversation, or its owner and admins."""

Seq = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Mentions = Annotated[tuple[str, ...], Meta(max_length=100)]
"""Ids of members, `@all` or `@admins`."""
_MOST_OPTIONS = 20
_OPTION_LENGTH = 200
_MOST_FORWARDED = 100


class Text(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="text", omit_defaults=True):
    """Text with a subset of Markdown."""

    text: Annotated[str, Meta(min_length=1, extra_json_schema={"pattern": r"\S"})]
    mentions: Mentions = ()
    reply: Seq | None = None
    """The message that this one answers, and quotes."""
    thread: Seq | None = None
    """The message whose thread this belongs to: an event of type `reply`, which does not count as unread in the conversation."""
    oob: bool = False
    """The text is the address of a file and nothing else (XEP-0066, out of band data): clients may show the file."""


class Poll(msgspec.Struct, frozen=True, tag_field="type", tag="poll", omit_defaults=True):
    """A question with answers to choose from. Its author and admins may close it."""

    question: Annotated[str, Meta(min_length=1, max_length=500, extra_json_schema={"pattern": r"\S"})]
    options: Annotated[tuple[str, ...], Meta(min_length=2, max_length=_MOST_OPTIONS)]
    multiple: bool = False
    """More than one may be chosen."""


class Encrypted(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="encrypted", omit_defaults=True):
    """What only clients with the keys can read (OMEMO, OpenPGP of XMPP). The server keeps it as it came."""

    text: Annotated[str, Meta(min_length=1, extra_json_schema={"pattern": r"\S"})]
    """What is shown to everybody else."""
    xml: Annotated[str, Meta(min_length=1)]
    """Elements of XML, for those clients."""


class Forward(msgspec.Struct, frozen=True, tag_field="type", tag="forward", omit_defaults=True):
    """Messages of another conversation. The server puts in what they say (`Bundle`), if the sender may read them."""

    conversation: str
    seqs: Annotated[tuple[Seq, ...], Meta(min_length=1, max_length=_MOST_FORWARDED)]
    text: str = ""
    """A word to it."""


class Forwarded(msgspec.Struct, frozen=True):
    """One message in a bundle, as it was when it was forwarded."""

    sender: str | None
    name: str
    time: int
    content: msgspec.Raw


class Bundle(msgspec.Struct, frozen=True, tag_field="type", tag="forward", omit_defaults=True):
    """What is stored of a `Forward`."""

    title: str | None
    """Of the group they come from."""
    items: tuple[Forwarded, ...]
    text: str = ""


Content = Text | Poll | Forward | Encrypted
"""Every type of content a person can send."""


def names_others(content: Content) -> bool:
    """It names messages or people, which have to be looked up before it is stored."""
    if isinstance(content, Text):
        return content.reply is not None or content.thread is not None or bool(content.mentions)
    return isinstance(content, Forward)


RECALLED = b'{"type":"recalled"}'
"""What is left of a message that was taken back."""


def recalled(thread: int | None) -> bytes:
    """The same of one in a thread, which still counts there."""
    return RECALLED if thread is None else b'{"type":"recalled","thread":%d}' % thread


_encode = msgspec.json.Encoder().encode


def encode_content(content: Content | Bundle, max_bytes: int) -> bytes:
    """The JSON that is stored. Raises Invalid for an empty or unstorable text, TooLarge above `max_bytes` of UTF-8."""
    if isinstance(content, Text):
        _check(content.text, "A message needs some text")
        if content.oob and not addresses_file(content.text):
            raise Invalid("With oob the text is the address of a file, http: or https:, and nothing else")
    elif isinstance(content, Poll):
        _check(content.question, "A poll needs a question")
        for option in content.options:
            _check(option, "Each option of a poll needs some text")
            if len(option) > _OPTION_LENGTH:
                raise Invalid(f"An option of a poll has 1 to {_OPTION_LENGTH} characters")
        if len(set(content.options)) < len(content.options):
            raise Invalid("The options of a poll must differ")
    elif isinstance(content, Encrypted):
        _check(content.text, "A message needs some text")
        _check(content.xml, "An encrypted message needs what was encrypted")
    elif content.text:
        _check(content.text, "A message needs some text")
    encoded = _encode(content)
    if len(encoded) > max_bytes:
        raise TooLarge(f"A message may have {max_bytes} bytes; this one has {len(encoded)}")
    return encoded


class _Any(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""
    question: str = ""
    options: tuple[str, ...] = ()
    items: tuple["_Item", ...] = ()
    oob: bool = False


class _Item(msgspec.Struct, frozen=True):
    name: str = ""
    content: _Any = _Any()


_any = msgspec.json.Decoder(_Any).decode


def in_words(content: bytes) -> str:
    """What a message says to somebody who can only be shown text; empty for one that was taken back."""
    return _in_words(_any(content))


def in_brief(content: bytes) -> str:
    """The same for a line that nobody can follow an address in: of a file its name."""
    found = _any(content)
    return f"📎 {file_name(found.text)}" if found.oob and addresses_file(found.text) else _in_words(found)


def _in_words(content: _Any) -> str:
    if content.type == "poll":
        return "\n".join([f"📊 {content.question}", *(f"{n}. {option}" for n, option in enumerate(content.options, 1))])
    lines = [content.text] if content.text else []
    return "\n".join(lines + [f"{item.name}: {_in_words(item.content)}" for item in content.items])


def _check(text: str, empty: str) -> None:
    if not text or text.isspace():
        raise Invalid(empty)
    if "\0" in text:
        raise Invalid("A text cannot contain the character U+0000")
