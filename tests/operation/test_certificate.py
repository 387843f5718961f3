"""What is wrong with a TLS certificate: found by using it."""

import time
from pathlib import Path

import pytest

from hongyan.operation.certificate import trouble
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
