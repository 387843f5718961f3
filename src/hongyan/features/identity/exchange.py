"""SCRAM as an exchange of four messages (RFC 5802; RFC 7677; channel binding of RFC 5929), on whatever carries them."""

from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from hmac import compare_digest

from hongyan.core.errors import Invalid, NotAuthenticated
from hongyan.features.identity import scram, scram_wire
from hongyan.features.identity.authzid import require_own
from hongyan.features.identity.passwords import Challenged, Passwords, Proven, counted
from hongyan.features.identity.scram import Hash

_MECHANISMS: dict[str, Hash] = {
    "SCRAM-SHA-256-PLUS": "sha256",
    "SCRAM-SHA-1-PLUS": "sha1",
    "SCRAM-SHA-256": "sha256",
    "SCRAM-SHA-1": "sha1",
}
"""Strongest first. What is bound to its channel comes before a longer hash: that keeps away who sits in between, and against
guessing the hash alone makes no difference.
"""


def mechanisms(bindings: Mapping[str, bytes], *, sha1: bool) -> tuple[str, ...]:
    """Strongest first. `bindings` are of the channel: type to data."""
    return tuple(
        name for name, hash in _MECHANISMS.items() if (sha1 or hash != "sha1") and (bindings or not name.endswith("-PLUS"))
    )


def new_nonce(random: Callable[[int], bytes]) -> str:
    return urlsafe_b64encode(random(18)).decode()


class Exchange:
    """One log-in: `first`, then `final`, each once."""

    def __init__(
        self,
        passwords: Passwords,
        mechanism: str,
        address: str,
        bindings: Mapping[str, bytes],
        *,
        nonce: str,
        domain: str,
        outcomes: Counter[str],
    ) -> None:
        """`nonce` is the server's part, new for each. See `Identity.scram`."""
        self._passwords = passwords
        self._hash = _MECHANISMS[mechanism]
        self._plus = mechanism.endswith("-PLUS")
        self._address = address
        self._bindings = bindings
        self._nonce = nonce
        self._domain = domain
        self._outcomes = outcomes
        self._begun = False
        self._open: _Open | None = None

    async def first(self, client_first: bytes) -> bytes:
        """The challenge, also for names that are nobody's.

        Raises Invalid, TooLarge, Forbidden (to act for somebody else), NotAuthenticated (somebody has taken -PLUS out of what is
        offered), and what the store raises.
        """
        with counted(self._outcomes):
            if self._begun:
                raise Invalid("A log-in by SCRAM begins once")
            self._begun = True
            said = scram_wire.client_first(client_first)
            bound = said.header.encode() + self._binding(said)
            require_own(said.authzid, said.name, self._domain)
            challenged = await self._passwords.challenge(said.name, self._hash)
            nonce = said.nonce + self._nonce
            kept = challenged.verifier
            answer = f"r={nonce},s={b64encode(kept.salt).decode()},i={kept.iterations}"
            self._open = _Open(challenged, bound, nonce, f"{said.bare},{answer},")
            return answer.encode()

    async def final(self, client_final: bytes) -> tuple[Proven, bytes]:
        """Who it is, and the server's own proof.

        Raises Invalid, TooLarge, WrongPassword (for every reason), RateLimited, Overloaded.
        """
        with counted(self._outcomes):
            opened, self._open = self._open, None
            if opened is None:
                raise Invalid("A log-in by SCRAM ends once, after it has begun")
            said = scram_wire.client_final(client_final)
            proven_over = (opened.said + said.unproven).encode()
            kept = opened.challenged.verifier
            right = scram.proves(said.proof, proven_over, kept, self._hash)
            right &= compare_digest(said.nonce.encode(), opened.nonce.encode())
            right &= compare_digest(said.bound, opened.bound)
            proven = self._passwords.decide(opened.challenged, self._address, right)
            return proven, b"v=" + b64encode(scram.signed(proven_over, kept, self._hash))

    def _binding(self, said: scram_wire.First) -> bytes:
        """The data of the channel that this log-in is bound to (RFC 5802, section 6)."""
        if self._plus != (said.flag == "p"):
            raise Invalid("Exactly the mechanisms in -PLUS say with p= what they are bound to")
        if said.flag == "y" and self._bindings:
            raise NotAuthenticated("Channel binding is offered here, and did not arrive: somebody may sit in between")
        if not self._plus:
            return b""
        data = self._bindings.get(said.binding)
        if data is None:
            raise Invalid("This type of channel binding is not offered here")
        return data


class _Open:
    """What the final message has to fit."""

    __slots__ = ("bound", "challenged", "nonce", "said")

    def __init__(self, challenged: Challenged, bound: bytes, nonce: str, said: str) -> None:
        self.challenged = challenged
        self.bound = bound
        self.nonce = nonce
        self.said = said
        """The AuthMessage as far as it goes."""
