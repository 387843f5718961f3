"""What is wrong with a TLS certificate: found by using it."""

import time
from pathlib import Path

import pytest

from hongyan.operation.certificate import trouble, unnamed
from tests.operation.certificates import make

DAY = 86_400


def test_a_good_certificate_is_no_trouble(tmp_path: Path) -> None:
    assert trouble(*make(tmp_path)) is None


def test_one_that_ends_soon_or_has_ended_is_told(tmp_path: Path) -> None:
    certificate, key = make(tmp_path, days=30)
    now = time.time()
    assert trouble(certificate, key, now + 10 * DAY) is None
    assert "expires in 5 days" in str(trouble(certificate, key, now + 25 * DAY))
    assert "has expired" in str(trouble(certificate, key, now + 31 * DAY))


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    certificate, _ = make(tmp_path, "one")
    _, key = make(tmp_path, "two")
    assert "do not belong together" in str(trouble(certificate, key))


@pytest.mark.parametrize("text", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_files_that_are_no_certificate_are_told(tmp_path: Path, text: str) -> None:
    certificate, key = make(tmp_path)
    certificate.write_text(text)
    assert "cannot be used for TLS" in str(trouble(certificate, key))


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    certificate, key = make(tmp_path)
    key.unlink()
    assert str(key) in str(trouble(certificate, key))
    assert str(tmp_path / "none") in str(trouble(tmp_path / "none", key))


WANTED = (("hongyan.example", "xmpp-client"), ("hongyan.example", "xmpp-server"), ("rooms.hongyan.example", "xmpp-server"))


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ("DNS:hongyan.example,DNS:rooms.hongyan.example", []),
        ("DNS:hongyan.example,DNS:*.hongyan.example", []),
        ("DNS:hongyan.example", ["rooms.hongyan.example"]),
        ("DNS:*.hongyan.example", ["hongyan.example"]),
        ("DNS:chat.hongyan.example", ["hongyan.example", "rooms.hongyan.example"]),
        ("", ["hongyan.example", "rooms.hongyan.example"]),  # the subject alone
        (
            "otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-client.hongyan.example,otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-server.hongyan.example",
            ["rooms.hongyan.example"],
        ),
    ],
)
def test_names_that_a_certificate_has_not(tmp_path: Path, names: str, missing: list[str]) -> None:
    certificate, key = make(tmp_path, host="hongyan.example", names=names)
    assert unnamed(certificate, WANTED) == missing
    assert unnamed(key, WANTED) == []
    assert unnamed(tmp_path / "none", WANTED) == []
    assert unnamed(certificate, [("127.0.0.1", "xmpp-client")]) == ["127.0.0.1"]
