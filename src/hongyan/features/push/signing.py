"""Who sends: a signed token for each push service (VAPID, RFC 8292)."""

from collections import OrderedDict
from collections.abc import Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hongyan.features.push.encrypting import point, to_base64

_LIFE_SECONDS = 43_200
"""A token may be good for 24 hours at most (RFC 8292, 2)."""
_RENEW_SECONDS = 3_600
_ORIGINS = 200

_encode = msgspec.json.Encoder().encode


class Signer:
    """`contact` is a mailto: or https: address at which the operator of a push service finds ours."""

    def __init__(self, private: bytes, contact: str, *, clock: Callable[[], int]) -> None:
        self._key: EllipticCurvePrivateKey = derive_private_key(int.from_bytes(private), SECP256R1())
        self._contact = contact
        self._clock = clock
        self._made: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self.public = to_base64(point(self._key.public_key()))

    def authorization(self, origin: str) -> str:
        """The value of the Authorization header for a push service."""
        now = self._clock() // 1000
        until, token = self._made.get(origin, (0, ""))
        if until - now < _RENEW_SECONDS:
            until = now + _LIFE_SECONDS
            token = self._token({"aud": origin, "exp": until, "sub": self._contact})
            self._made[origin] = (until, token)
            while len(self._made) > _ORIGINS:
                self._made.popitem(last=False)
        return f"vapid t={token}, k={self.public}"

    def _token(self, claims: dict[str, object]) -> str:
        signed = ".".join(to_base64(_encode(part)) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ECDSA(SHA256())))
        return f"{signed}.{to_base64(r.to_bytes(32) + s.to_bytes(32))}"
