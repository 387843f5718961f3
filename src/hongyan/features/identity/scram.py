"""SCRAM keys (RFC 5802, section 3; RFC 7677): how a password is kept, and checked."""

from hashlib import new, pbkdf2_hmac
from hmac import compare_digest, digest
from typing import Any, Literal

import msgspec

Hash = Literal["sha256", "sha1"]


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


class Keys(msgspec.Struct, frozen=True):
    """All that is kept of one password."""

    sha256: Verifier
    sha1: Verifier | None = None
    """For clients that know no better; None when that is switched off, or the password has not been seen since."""

    def of(self, hash: Hash) -> Verifier | None:
        return self.sha256 if hash == "sha256" else self.sha1


def derive(password: str, salt: bytes, iterations: int, hash: Hash = "sha256") -> Verifier:
    """The keys of a password that was prepared by OpaqueString. Takes some 50 ms with 200,000 iterations, without the GIL."""
    salted = pbkdf2_hmac(hash, password.encode(), salt, iterations)
    client_key = digest(salted, b"Client Key", hash)
    return Verifier(salt, iterations, new(hash, client_key).digest(), digest(salted, b"Server Key", hash))


def same(one: Verifier, other: Verifier) -> bool:
    """Whether both come from the same password, in constant time."""
    return compare_digest(one.stored_key, other.stored_key)


def proves(proof: bytes, said: bytes, kept: Verifier, hash: Hash) -> bool:
    """Whether a ClientProof over the AuthMessage `said` comes from the password, in constant time."""
    signature = digest(kept.stored_key, said, hash)
    client_key = bytes(one ^ other for one, other in zip(proof, signature, strict=False))
    return compare_digest(new(hash, client_key).digest(), kept.stored_key) and len(proof) == len(signature)


def signed(said: bytes, kept: Verifier, hash: Hash) -> bytes:
    """The ServerSignature."""
    return digest(kept.server_key, said, hash)
