"""SCRAM-SHA-256 keys (RFC 5802, section 3; RFC 7677): how a password is kept, and checked."""

from hashlib import pbkdf2_hmac, sha256
from hmac import compare_digest, digest
from typing import Any

import msgspec


class Verifier(msgspec.Struct, frozen=True):
    """What is kept of a password. Its bytes stay out of `repr`: they allow guessing."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return f"Verifier(iterations={self.iterations})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("iterations", self.iterations)]


def derive(password: str, salt: bytes, iterations: int) -> Verifier:
    """The keys of a password that was prepared by OpaqueString. Takes some 50 ms with 200,000 iterations, without the GIL."""
    salted = pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = digest(salted, b"Client Key", "sha256")
    return Verifier(salt, iterations, sha256(client_key).digest(), digest(salted, b"Server Key", "sha256"))


def same(one: Verifier, other: Verifier) -> bool:
    """Whether both come from the same password, in constant time."""
    return compare_digest(one.stored_key, other.stored_key)
