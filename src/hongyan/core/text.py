"""Text that people choose, prepared so that what looks the same is the same, or refused with a sentence.

Account names and passwords follow RFC 8265 (PRECIS), as XMPP requires; names for reading have rules of their own, because PRECIS
refuses emoji with joiners and characters newer than its tables.
"""

import re
from unicodedata import category, normalize

from precis_i18n import get_profile

from hongyan.core.errors import Invalid

_USERNAME = get_profile("UsernameCaseMapped")
_OPAQUE = get_profile("OpaqueString")

_NAME_LENGTH = 64
_PASSWORD_LENGTH = 1_000
_APART = frozenset(":;/@\"'<>&")
"""They separate the parts of addresses (RFC 7622, mail, `userId;;text`) and of lanes (`user:ID`)."""

# Default_Ignorable_Code_Point without joiners and variation selectors, which emoji, Persian, Mongolian and rare Han names need;
# then the empty Braille pattern and the noncharacters.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    "\u2800\ufdd0-\ufdef" + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)) + "]"
)
_REFUSED = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})


def account_name(text: str) -> str:
    """The id of the account: UsernameCaseMapped (RFC 8265, section 3.3), 1 to 64 characters. Raises Invalid."""
    if not text or len(text) > 4 * _NAME_LENGTH:
        raise Invalid("An account name has 1 to 64 characters")
    try:
        name = str(_USERNAME.enforce(text))
    except UnicodeEncodeError as error:
        if error.reason.endswith(("bidi_rule", "not_idempotent", "empty")):
            raise Invalid("An account name must read the same in one direction; take letters of one script and digits") from None
        raise Invalid(f"An account name cannot contain {_shown(error.object[error.start])}") from None
    if len(name) > _NAME_LENGTH:
        raise Invalid("An account name has 1 to 64 characters")
    for char in name:
        if char in _APART:
            raise Invalid(f"An account name cannot contain {_shown(char)}")
    if name[0] in "_.-":  # with a hyphen it would be an option on a command line
        raise Invalid("An account name cannot begin with _, - or a full stop")
    return name


def display_name(text: str) -> str:
    """A name for reading, 1 to 64 characters. Raises Invalid."""
    return _readable(text, "A display name", _NAME_LENGTH)


def device_label(text: str) -> str:
    """A label of a device or a token, 1 to 64 characters. Raises Invalid."""
    return _readable(text, "A device label", _NAME_LENGTH)


def title(text: str, most: int = 200) -> str:
    """The title of a group, 1 to `most` characters. Raises Invalid."""
    return _readable(text, "A title", most)


def topic(text: str) -> str:
    """What a conversation is about, 1 to 500 characters. Raises Invalid."""
    return _readable(text, "A topic", 500)


def password(text: str) -> str:
    """OpaqueString (RFC 8265, section 4.2), 1 to 1,000 characters. Raises Invalid, which never quotes the password."""
    if not text or len(text) > _PASSWORD_LENGTH:
        raise Invalid("A password has 1 to 1,000 characters")
    try:
        return str(_OPAQUE.enforce(text))
    except UnicodeEncodeError:
        pass  # it holds the password, so it must not be the context of what is raised
    raise Invalid("A password has only letters, digits, punctuation, symbols and spaces")


def emoji(text: str) -> str:
    """One emoji of Unicode, with its modifiers and joined parts, as a reaction. Raises Invalid."""
    import emoji as known  # 10 MB that a client never needs

    prepared = normalize("NFC", text)
    if not known.is_emoji(prepared):
        raise Invalid("A reaction is one emoji")
    return prepared


def folded(text: str) -> str:
    """What a name is searched by: compatibility forms and case do not count (NFKC, casefold)."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


def _readable(text: str, what: str, most: int) -> str:
    """NFC; spaces of every kind become single ones between words."""
    if len(text) > 4 * most:
        raise Invalid(f"{what} has 1 to {most} characters")
    spaced = []
    for char in text:
        kind = category(char)
        if kind in _REFUSED or _HIDDEN.match(char):
            raise Invalid(f"{what} cannot contain {_shown(char)}")
        spaced.append(" " if kind == "Zs" else char)
    prepared = normalize("NFC", " ".join("".join(spaced).split()))
    if not 1 <= len(prepared) <= most:
        raise Invalid(f"{what} has 1 to {most} characters")
    if not any(_seen(char) for char in prepared):
        raise Invalid(f"{what} needs something that can be seen")
    return prepared


def _seen(char: str) -> bool:
    """Letters, digits, punctuation, symbols and what is newer than this Python; not marks, joiners and spaces alone."""
    kind = category(char)
    return kind == "Cn" or kind[0] in "LNPS"


def _shown(char: str) -> str:
    """A character for a sentence: itself when it can be seen."""
    return char if char.isprintable() and not char.isspace() and not _HIDDEN.match(char) else f"U+{ord(char):04X}"
