"""Payloads are encrypted as RFC 8291 says: its own example, and the way back."""

import secrets
from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from hongyan.core.errors import Invalid
from hongyan.features.push.encrypting import encrypt, private_key, receiver_keys
from tests.features.push.browser import Browser, b64


def test_example_of_the_rfc() -> None:
    """RFC 8291, Appendix A."""
    public, auth = receiver_keys(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg"
    )
    number = urlsafe_b64decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw=")
    sender = derive_private_key(int.from_bytes(number, "big"), SECP256R1())
    salt = urlsafe_b64decode("DGv6ra1nlYgDCS1FRnbzlw==")
    body = encrypt(b"When I grow up, I want to be a watermelon", public, auth, sender, salt)
    assert b64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6c"
        "VPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("size", [0, 1, 300, 3_993])
def test_browser_reads_what_was_encrypted(size: int) -> None:
    browser = Browser("https://push.example")
    keys = browser.subscription()["keys"]
    payload = secrets.token_bytes(size)
    public, auth = receiver_keys(keys["p256dh"], keys["auth"])
    body = encrypt(payload, public, auth, private_key(secrets.token_bytes), secrets.token_bytes(16))
    assert browser.decrypt(body) == payload


GOOD = Browser("").subscription()["keys"]


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", GOOD["auth"]),
        (GOOD["p256dh"], ""),
        (GOOD["p256dh"][:-4], GOOD["auth"]),
        (b64(b"\x04" + bytes(64)), GOOD["auth"]),
        (b64(b"\x05" + secrets.token_bytes(64)), GOOD["auth"]),
        (GOOD["p256dh"], GOOD["auth"] + "AAAA"),
        ("Ü" * 80, GOOD["auth"]),
    ],
    ids=["no key", "no secret", "short", "no point", "another form", "long secret", "no base64"],
)
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(Invalid):
        receiver_keys(p256dh, auth)
