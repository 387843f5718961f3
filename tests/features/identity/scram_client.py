"""A client of SCRAM whose every message can be spoiled, and one by other people."""

from base64 import b64decode, b64encode
from hashlib import new, pbkdf2_hmac
from hmac import digest

from scramp import ScramClient

from hongyan.features.identity import Exchange, Proven
from hongyan.features.identity.scram import Hash

NONCE = "fyko+d2lbbFgONRv9qkxdawL"


class Said:
    """A client-final message in its parts, to be spoiled."""

    def __init__(
        self, password: str, challenge: bytes, *, header: str, bound: bytes = b"", name: str = "lihua", hash: Hash = "sha256"
    ) -> None:
        parts = dict(part.split("=", 1) for part in challenge.decode().split(","))
        self.nonce = parts["r"]
        self.channel = b64encode(header.encode() + bound).decode()
        self._challenge = challenge.decode()
        self._name = name
        self._hash = hash
        self._salted = pbkdf2_hmac(hash, password.encode(), b64decode(parts["s"]), int(parts["i"]))

    def message(self, *, proof: bytes | None = None, more: str = "") -> bytes:
        unproven = f"c={self.channel},r={self.nonce}{more}"
        key = digest(self._salted, b"Client Key", self._hash)
        said = f"n={self._name},r={NONCE},{self._challenge},{unproven}".encode()
        signature = digest(new(self._hash, key).digest(), said, self._hash)
        right = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        return f"{unproven},p={b64encode(right if proof is None else proof).decode()}".encode()


def first(name: str = "lihua", header: str = "n,,") -> bytes:
    return f"{header}n={name},r={NONCE}".encode()


async def answer(exchange: Exchange, password: str, *, name: str = "lihua", hash: Hash = "sha256") -> bytes:
    """Begin, and what to end it with."""
    challenge = await exchange.first(first(name))
    return Said(password, challenge, header="n,,", name=name, hash=hash).message()


async def by_others(
    exchange: Exchange, mechanism: str, name: str, password: str, binding: tuple[str, bytes] | None = None
) -> Proven:
    """As the client of scramp does it, which checks the server's proof, too."""
    client = ScramClient([mechanism], name, password, channel_binding=binding)
    client.set_server_first((await exchange.first(client.get_client_first().encode())).decode())
    proven, last = await exchange.final(client.get_client_final().encode())
    client.set_server_final(last.decode())
    return proven
