"""Secrets are taken out of every record before it is written: values under telling names, our tokens, what looks like a log-in.

This is the net under the rope: nobody logs a secret on purpose, but an exception may carry one in its text.
"""

import re
from collections.abc import Mapping
from typing import Any

REMOVED = "[removed]"

_NAMES = (
    "token", "tokens", "password", "passwords", "passwd", "passphrase", "secret", "secrets", "authorization", "cookie", "cookies",
    "credential", "credentials", "verifier", "salt", "stored_key", "server_key", "api_key", "private_key",
)  # fmt: skip
_TOKEN = re.compile(r"hy_[A-Za-z0-9_\-]{6,}")
_BEARER = re.compile(r"\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE)
_HEADER = re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie)(\s*:\s*)[^\r\n]+", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"((?:token|password|passwd|passphrase|secret|authorization|cookie|credentials?)s?\\?[\"']?\s*[=:]\s*[brf]?)"
    r"(\\?\"(?:[^\"\\]|\\.)*\"?|\\?'(?:[^'\\]|\\.)*'?|[^\s,;)}\]&\"']+)",
    re.IGNORECASE,
)
_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def tells(name: str) -> bool:
    """Whether a value of this name is a secret: `password`, `new_password`, `Authorization`; not `token_id`."""
    return name.lower().replace("-", "_").endswith(_NAMES)


def redact_text(text: str) -> str:
    """The text without what looks like a secret in it."""
    text = _TOKEN.sub(f"hy_{REMOVED}", text)
    text = _HEADER.sub(rf"\1\2{REMOVED}", text)
    text = _BEARER.sub(rf"\1 {REMOVED}", text)
    text = _URL.sub(rf"\1{REMOVED}@", text)
    return _ASSIGNED.sub(rf"\1{REMOVED}", text)


def redact(value: Any) -> Any:
    """A value of plain types without secrets. What is no plain type becomes its `repr`, since that is what would be written."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return redact_text(bytes(value).decode("utf-8", "backslashreplace"))
    if isinstance(value, Mapping):
        return {_word(key): REMOVED if tells(_word(key)) else redact(below) for key, below in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = list(value)
        if len(items) == 2 and isinstance(items[0], (str, bytes)) and tells(_word(items[0])):  # a header
            return [redact(items[0]), REMOVED]
        return [redact(item) for item in items]
    return redact_text(repr(value))


def _word(key: Any) -> str:
    return redact_text(key.decode("latin-1") if isinstance(key, bytes) else str(key))
