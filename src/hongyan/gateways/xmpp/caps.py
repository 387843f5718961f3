"""Entity capabilities (XEP-0115): what a client can do is asked once for each hash, and believed of others if it is its hash."""

from base64 import b64encode
from collections import OrderedDict
from hashlib import sha1, sha256, sha512

from hongyan.gateways.xmpp.codec import Element

CAPS = "http://jabber.org/protocol/caps"
INFO = "http://jabber.org/protocol/disco#info"
DATA = "jabber:x:data"
_NOTIFY = "+notify"
_MOST_WANTS = 100
_MOST = 1_000
_HASHES = {"sha-1": sha1, "sha-256": sha256, "sha-512": sha512}


class Known:
    """Hashes that were seen to be right, with the nodes that such clients want news of."""

    def __init__(self) -> None:
        self._wants: OrderedDict[str, frozenset[str]] = OrderedDict()

    def get(self, key: str) -> frozenset[str] | None:
        return self._wants.get(key)

    def learn(self, key: str, info: Element) -> frozenset[str]:
        """What a client has answered to the question what `key` is."""
        found = wants(info)
        hash, _, ver = key.partition(" ")
        if verified(hash, ver, info):
            while len(self._wants) >= _MOST:
                self._wants.popitem(last=False)
            self._wants[key] = found
        return found


def key_of(presence: Element) -> str:
    """Of the capabilities that a presence names; empty for none, and for those of the first version of the extension."""
    caps = presence.child(f"{CAPS} c")
    if caps is None or caps.get("hash") not in _HASHES or not caps.get("ver") or len(caps.get("ver")) > 200:
        return ""
    return f"{caps.get('hash')} {caps.get('ver')}"


def wants(info: Element) -> frozenset[str]:
    names = (one.get("var") for one in info.all(f"{INFO} feature"))
    return frozenset([name.removesuffix(_NOTIFY) for name in names if name.endswith(_NOTIFY)][:_MOST_WANTS])


def verified(hash: str, ver: str, info: Element) -> bool:
    """XEP-0115, section 5.4."""
    return hash in _HASHES and hashed(info, hash) == ver


def hashed(info: Element, hash: str = "sha-1") -> str:
    """Of the answer to a disco#info query (section 5.1)."""
    return b64encode(_HASHES[hash](_words(info).encode()).digest()).decode()


def _words(info: Element) -> str:
    """Section 5.1."""
    lang = "http://www.w3.org/XML/1998/namespace lang"
    identities = sorted(
        "/".join((one.get("category"), one.get("type"), one.get(lang), one.get("name"))) for one in info.all(f"{INFO} identity")
    )
    features = sorted(one.get("var") for one in info.all(f"{INFO} feature"))
    forms = []
    for form in info.all(f"{DATA} x"):
        fields = {
            field.get("var"): sorted(value.text for value in field.all(f"{DATA} value")) for field in form.all(f"{DATA} field")
        }
        type = (fields.pop("FORM_TYPE", None) or [""])[0]
        forms.append([type, *(word for var, values in sorted(fields.items()) for word in (var, *values))])
    return "".join(f"{word}<" for word in [*identities, *features, *(word for form in sorted(forms) for word in form)])
