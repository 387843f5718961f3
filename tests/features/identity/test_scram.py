"""SCRAM-SHA-256 with the example of RFC 7677, section 3."""

from base64 import b64decode
from hashlib import sha256
from hmac import digest

from hongyan.features.identity.scram import Verifier, derive, same

SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
FIRST = "n=user,r=rOprNGfwEbeRWgbNEkqO"
CHALLENGE = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
LAST = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
PROOF = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
SIGNATURE = b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_keys_accept_the_proof_and_give_the_signature_of_rfc_7677() -> None:
    keys = derive("pencil", SALT, 4096)
    exchange = f"{FIRST},{CHALLENGE},{LAST}".encode()
    client_key = bytes(a ^ b for a, b in zip(PROOF, digest(keys.stored_key, exchange, "sha256"), strict=True))
    assert sha256(client_key).digest() == keys.stored_key
    assert digest(keys.server_key, exchange, "sha256") == SIGNATURE


def test_same_password_gives_the_same_keys_only_with_the_same_salt() -> None:
    keys = derive("pencil", SALT, 2)
    assert same(keys, derive("pencil", SALT, 2))
    assert not same(keys, derive("pencil", b"other salt", 2))
    assert not same(keys, derive("pencil", SALT, 3))
    assert not same(keys, derive("pencils", SALT, 2))


def test_verifier_does_not_show_its_bytes() -> None:
    keys = Verifier(b"salt-bytes", 2, b"stored-bytes", b"server-bytes")
    shown = repr(keys) + repr(list(keys.__rich_repr__()))
    assert "bytes" not in shown
