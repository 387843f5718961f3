"""`hongyan doctor`: each thing that is wrong is found, and said with what to do."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hongyan.config import Http, Identity, Logging, Settings
from hongyan.config.settings import Xmpp
from hongyan.operation import doctor
from hongyan.operation.directory import DataDirectory
from hongyan.operation.doctor_tls import trouble_of_xmpp
from hongyan.operation.opening import sqlite_in
from hongyan.store import Draft
from tests.operation.certificates import make


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a data directory in which nothing is wrong."""
    settings = Settings(data=tmp_path / "data")
    directory = DataDirectory(settings.data)
    directory.prepare()

    async def fill() -> None:
        store = sqlite_in(directory, settings)
        await store.start(lambda batch: None)
        await store.transaction(lambda tx: tx.append(Draft("lobby", "message", None, int(time.time() * 1000), b"{}")))
        await store.close()

    asyncio.run(fill())
    room(monkeypatch, 5 << 30)
    return settings


def room(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": free})())


def found(settings: Settings, **more: Any) -> str:
    return "\n".join(map(str, doctor.examine(settings, **more)))


def test_a_good_directory_has_nothing_wrong(good: Settings) -> None:
    assert found(good) == ""


def test_one_without_data_is_told(tmp_path: Path) -> None:
    assert "There is no Hongyan data" in found(Settings(data=tmp_path))


def test_doors_that_stand_open_are_told(good: Settings) -> None:
    good.data.chmod(0o750)
    (good.data / "hongyan.db").chmod(0o640)
    assert f"chmod 700 {good.data}" in found(good)
    assert f"chmod 600 {good.data / 'hongyan.db'}" in found(good)


def test_damage_is_told(good: Settings) -> None:
    database = good.data / "hongyan.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    assert "hongyan restore" in found(good)
    database.write_bytes(b"no database at all" * 500)
    assert "cannot be read" in found(good)


@pytest.mark.parametrize(("version", "told"), [("9999", "newer Hongyan"), (None, "hongyan migrate")])
def test_tables_of_another_version_are_told(good: Settings, version: str | None, told: str) -> None:
    with closing(sqlite3.connect(good.data / "hongyan.db", isolation_level=None)) as db:
        db.execute("DELETE FROM alembic_version")
        if version:
            db.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    assert told in found(good)


def test_a_clock_that_is_behind_the_log_is_told(good: Settings) -> None:
    assert "in the future" in found(good, now=lambda: time.time() - 3600)


def test_a_full_disk_is_told(good: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    room(monkeypatch, 5 << 20)
    assert "only 5 MiB left" in found(good)


@pytest.mark.parametrize("listen", ["0.0.0.0:8440", "[::]:8440", ":8440", "192.0.2.1:8440"])
def test_a_public_address_without_tls_is_told(good: Settings, listen: str) -> None:
    assert "without TLS" in found(replace(good, http=Http(listen=listen)))


def test_a_public_address_with_tls_is_well(good: Settings, tmp_path: Path) -> None:
    certificate, key = make(tmp_path)
    assert found(replace(good, http=Http(listen=":8440", certificate=certificate, key=key))) == ""


def test_a_certificate_that_ends_soon_and_a_key_for_everybody_are_told(good: Settings, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, days=3)
    key.chmod(0o604)
    text = found(replace(good, http=Http(certificate=certificate, key=key)))
    assert "expires in 3 days" in text
    assert f"chmod o= {key}" in text


def test_xmpp_without_a_certificate_is_told(good: Settings) -> None:
    assert found(replace(good, xmpp=Xmpp(web=True))) == ""
    assert found(replace(good, xmpp=Xmpp(c2s="127.0.0.1:5222", allow_plaintext=True))) == ""
    for settings in (
        Xmpp(c2s="127.0.0.1:5222"), Xmpp(c2s=":5222", allow_plaintext=True), Xmpp(c2s_tls=":5223"), Xmpp(s2s=":5269"),
    ):  # fmt: skip
        assert "XMPP has no certificate" in found(replace(good, xmpp=settings))


def test_certificates_of_xmpp_are_looked_at(good: Settings, tmp_path: Path) -> None:
    rooms = "DNS:hongyan.example,DNS:rooms.hongyan.example"
    certificate, key = make(tmp_path, host="hongyan.example", names=rooms)
    old, old_key = make(tmp_path, "old", days=3, host="hongyan.example", names=rooms)
    machine, machine_key = make(tmp_path, "machine", host="chat.hongyan.example")
    good = replace(good, domain="hongyan.example")
    web = Http(listen=":8440", certificate=machine, key=machine_key)

    def told(http: Http = web, **settings: Any) -> str:
        settings = {"c2s": ":5222", "s2s": ":5269", "certificate": certificate, "key": key, **settings}
        text = found(replace(good, http=http, xmpp=Xmpp(**settings)))
        seen = trouble_of_xmpp(replace(good, http=http, xmpp=Xmpp(**settings)))
        assert (seen is None) == (text == "")
        assert seen is None or seen in text
        return text

    assert told() == ""
    assert "old.pem expires in 3 days" in told(certificate=old, key=old_key)
    assert "do not belong together" in told(key=old_key)
    assert "none.pem cannot be read" in told(certificate=tmp_path / "none.pem")
    key.chmod(0o604)
    assert f"chmod o= {key}" in told()
    key.chmod(0o600)
    assert "machine.pem is not for hongyan.example and rooms.hongyan.example:" in told(certificate=None, key=None)
    assert "machine.pem is not for hongyan.example:" in told(certificate=None, key=None, s2s="")
    assert told(Http(certificate=certificate, key=key), certificate=None, key=None) == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"http": Http(trusted_proxies=("0.0.0.0/0",))}, "throttle of log-ins"),
        ({"http": Http(origins=("http://pages.example",))}, "http.origins"),
        ({"identity": Identity(iterations=4096)}, "identity.iterations"),
        ({"identity": Identity(password_length=4)}, "identity.password_length"),
        ({"identity": Identity(session_days=1000)}, "identity.session_days"),
        ({"logging": Logging(level="debug")}, "logging.level"),
    ],
)
def test_unsafe_settings_are_told(good: Settings, changes: dict[str, Any], told: str) -> None:
    assert told in found(replace(good, **changes))


def test_a_demonstration_that_others_can_reach_is_told(good: Settings) -> None:
    (good.data / "demo.txt").touch(mode=0o600)
    assert found(good) == ""
    assert "demonstration" in found(replace(good, http=Http(listen=":8440")))


def test_each_finding_is_a_sentence_and_what_to_do(good: Settings) -> None:
    good.data.chmod(0o755)
    bad = replace(good, http=Http(listen=":8440", trusted_proxies=("::/0",)), identity=Identity(iterations=4096))
    findings = doctor.examine(bad)
    assert len(findings) == 4
    assert all(one.wrong and one.do and str(one).endswith(".") and ".." not in str(one) for one in findings)
