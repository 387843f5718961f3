"""Server dialback (XEP-0220): a key that only this server can make, for one pair of servers and one stream."""

from hashlib import sha256
from hmac import compare_digest, digest


def key(secret: bytes, receiving: str, originating: str, stream: str) -> str:
    """XEP-0185, with a hash of the secret of all nodes; the parts cannot run into each other."""
    parts = "".join(f"{len(part)}:{part}" for part in (receiving, originating, stream))
    return digest(sha256(b"xmpp dialback" + secret).digest(), parts.encode(), "sha256").hex()


def is_right(given: str, secret: bytes, receiving: str, originating: str, stream: str) -> bool:
    return compare_digest(given.encode(), key(secret, receiving, originating, stream).encode())
