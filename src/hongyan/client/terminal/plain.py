"""Foreign text made harmless for a terminal: whatever could move the cursor or change its state is shown, not obeyed."""

import unicodedata


def harmless(text: str, *, lines: bool = True) -> str:
    """Control characters as visible signs (U+2400 and on), other unprintables as <U+XXXX>. Newlines stay when `lines`.

    Bidirectional overrides count as control characters: with them a message could pretend to be another one (Trojan Source,
    CVE-2021-42574). Zero-width joiners stay, emoji are made with them.
    """
    return "".join(_shown(character, lines) for character in text.replace("\r\n", "\n"))


def _shown(character: str, lines: bool) -> str:
    code = ord(character)
    if character == "\n" and lines:
        return character
    if character == "\t":
        return "    "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Zl", "Zp") or (
        category == "Cf" and character not in "\u200c\u200d" and not 0xE0020 <= code <= 0xE007F
    ):
        return f"<U+{code:04X}>"
    return character
