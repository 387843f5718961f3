"""Payloads that only the browser can read (RFC 8291, with the content coding of RFC 8188)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hongyan.core.errors import Invalid

_POINT = 65
_AUTH = 16
_SALT = 16
_RECORD = 4_096
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def private_key(random: Callable[[int], bytes]) -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(random(40)) % (_ORDER - 1) + 1, SECP256R1())


def point(key: EllipticCurvePublicKey) -> bytes:
    """The 65 bytes of an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def receiver_keys(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """The browser's keys in bytes. Raises Invalid for what is none."""
    public, secret = from_base64(p256dh), from_base64(auth)
    if len(public) != _POINT or len(secret) != _AUTH:
        raise Invalid("keys.p256dh has 65 bytes and keys.auth 16, in base64 for URLs")
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public)
    except ValueError:
        raise Invalid("keys.p256dh is no point of P-256") from None
    return public, secret


def encrypt(payload: bytes, receiver: bytes, auth: bytes, sender: EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body of a push message; `sender` is a key for this message alone, `salt` 16 random bytes."""
    own = point(sender.public_key())
    shared = sender.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), receiver))
    secret = _derive(shared, auth, b"WebPush: info\0" + receiver + own, 32)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4) + bytes([len(own)]) + own
    return head + AESGCM(key).encrypt(nonce, payload + b"\x02", None)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def to_base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def from_base64(text: str) -> bytes:
    """Empty for what is none."""
    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except ValueError:
        return b""
