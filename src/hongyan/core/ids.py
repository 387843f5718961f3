"""Forms of ids. Ids that the server makes come from random bits, so that they cannot be guessed."""

import re
from base64 import b32encode

from hongyan.core.errors import Invalid

_CLIENT_ID = re.compile(r"[!-~]{1,64}", re.ASCII)


def id_from_bits(bits: bytes) -> str:
    """Lower-case letters and digits of RFC 4648 base32; 15 bytes give 24 characters."""
    return b32encode(bits).decode().rstrip("=").lower()


def check_client_id(client_id: str) -> str:
    """1 to 64 printable ASCII characters without the space. Raises Invalid."""
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise Invalid("client_id is 1 to 64 printable ASCII characters")
    return client_id
