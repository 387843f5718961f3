"""What is encrypted from end to end (XEP-0384, XEP-0373, XEP-0027): kept as it came and given back as it came.

Nobody has to trust what is stored: it is parsed again before it is put into a stanza, and only elements of these names go in.
"""

from functools import lru_cache

from hongyan.core.content import Encrypted
from hongyan.gateways.xmpp.codec import Element, escape, parse, render
from hongyan.gateways.xmpp.faults import StreamFault

EME = "urn:xmpp:eme:0"
HINTS = "urn:xmpp:hints"
CORRECT = "urn:xmpp:message-correct:0"
_METHODS = {
    "eu.siacs.conversations.axolotl": "OMEMO",
    "urn:xmpp:omemo:1": "OMEMO",
    "urn:xmpp:omemo:2": "OMEMO",
    "urn:xmpp:openpgp:0": "OpenPGP",
    "jabber:x:encrypted": "Legacy OpenPGP",
}
_ELEMENTS = frozenset(("urn:xmpp:openpgp:0 openpgp", "jabber:x:encrypted x", *(f"{space} encrypted" for space in _METHODS)))
_UNTOUCHED = frozenset((*_ELEMENTS, f"{CORRECT} replace"))
"""A correction of something encrypted is encrypted too: only clients can put it in place."""
_MOST = 1_048_576
_SENTENCE = "This message is encrypted from end to end. / 这条消息是端到端加密的。"


def is_encrypted(stanza: Element) -> bool:
    """It says something that is encrypted; not one that only carries a key."""
    return any(part.name in _ELEMENTS and _says(part) for part in stanza.children)


def _says(part: Element) -> bool:
    return part.local != "encrypted" or any(one.local == "payload" for one in part.children)


def taken(stanza: Element) -> Encrypted:
    """What is kept of it."""
    xml = "".join(render(part) for part in stanza.children if part.name in _UNTOUCHED)
    words = stanza.said("jabber:client body") or ""
    return Encrypted(words if words.strip() else _SENTENCE, xml)


def given(xml: str, words: str) -> str:
    """What stands in a stanza, with a hint that says what it is (XEP-0380)."""
    elements = _elements(xml)
    spaces = dict.fromkeys(part.space for part in elements if part.name in _ELEMENTS)
    hints = "".join(f"<encryption xmlns='{EME}' namespace='{space}' name='{_METHODS[space]}'/>" for space in spaces)
    return f"<body>{escape(words)}</body>{''.join(render(part) for part in elements)}{hints}<store xmlns='{HINTS}'/>"


@lru_cache(maxsize=64)
def _elements(xml: str) -> tuple[Element, ...]:
    try:
        whole = parse(f"<message xmlns='jabber:client'>{xml}</message>".encode(), _MOST)
    except (StreamFault, UnicodeError):
        return ()
    return tuple(part for part in whole.children if part.name in _UNTOUCHED)
