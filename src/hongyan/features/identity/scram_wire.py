"""What is said in SCRAM (RFC 5802, section 7): messages taken apart, and nothing decided. All functions raise Invalid."""

import re
from base64 import b64decode
from binascii import Error

import msgspec

from hongyan.core.errors import Invalid, TooLarge

_MOST_FIRST = 1_024
_MOST_FINAL = 4_096
"""It repeats the header of the first message in base64, and both nonces."""

_FIRST = re.compile(
    r"(?P<header>(?:(?P<flag>[ny])|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authzid>[^,]+))?,)(?P<bare>.*)", re.DOTALL
)
_BARE = re.compile(r"n=(?P<name>[^,]+),r=(?P<nonce>[!-+\--~]+)(?P<more>(?:,[A-Za-z]=[^,]+)*)")
_FINAL = re.compile(r"(?P<unproven>c=(?P<bound>[^,]+),r=(?P<nonce>[!-+\--~]+)(?P<more>(?:,[A-Za-z]=[^,]+)*)),p=(?P<proof>[^,]+)")
_ESCAPE = re.compile("=(2C|3D)?")


class First(msgspec.Struct, frozen=True):
    """client-first-message."""

    header: str
    """The GS2 header, as it was said."""
    flag: str
    """`n`: no channel binding; `y`: the client could, and thinks that the server cannot; `p`: it is bound by `binding`."""
    binding: str
    authzid: str
    bare: str
    name: str
    nonce: str


class Final(msgspec.Struct, frozen=True):
    """client-final-message."""

    unproven: str
    bound: bytes
    """GS2 header and channel binding, again."""
    nonce: str
    proof: bytes


def client_first(message: bytes) -> First:
    said = _text(message, _MOST_FIRST)
    header = _FIRST.fullmatch(said)
    if header is None:
        raise Invalid("This is no GS2 header of SCRAM")
    bare = _BARE.fullmatch(header["bare"])
    if bare is None:  # also an extension in front, which m= announces as one that has to be understood
        raise Invalid("This is no first message of SCRAM, or needs an extension that is not known here")
    _optional(bare["more"])
    flag = header["flag"] or "p"
    authzid = _name(header["authzid"]) if header["authzid"] else ""
    return First(header["header"], flag, header["binding"] or "", authzid, header["bare"], _name(bare["name"]), bare["nonce"])


def client_final(message: bytes) -> Final:
    final = _FINAL.fullmatch(_text(message, _MOST_FINAL))
    if final is None:
        raise Invalid("This is no final message of SCRAM")
    _optional(final["more"])
    return Final(final["unproven"], _bytes(final["bound"]), final["nonce"], _bytes(final["proof"]))


def _text(message: bytes, most: int) -> str:
    if len(message) > most:
        raise TooLarge("This message of SCRAM is too long")
    try:
        said = message.decode()
    except UnicodeDecodeError:
        raise Invalid("SCRAM is said in UTF-8") from None
    if "\0" in said:
        raise Invalid("SCRAM is said without NUL")
    return said


def _optional(extensions: str) -> None:
    if ",m=" in extensions:
        raise Invalid("This needs an extension of SCRAM that is not known here")


def _name(escaped: str) -> str:
    def plain(escape: re.Match[str]) -> str:
        if escape[1] is None:
            raise Invalid("In a name of SCRAM, = and , are written =3D and =2C")
        return "," if escape[1] == "2C" else "="

    return _ESCAPE.sub(plain, escaped)


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError):
        raise Invalid("This is no base64") from None
