"""The certificate of the port: loaded again when its files change, and kept when they become bad."""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from hongyan.gateways.door.tls import Certificate, CertificateError
from hongyan.gateways.web import gateway
from tests.gateways.web.port.plays import open_port, until
from tests.operation import certificates


def replace(folder: Path, source: str, *suffixes: str) -> None:
    for suffix in suffixes or (".pem", ".key"):
        shutil.copy(folder / (source + suffix), folder / ("used" + suffix))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two certificates, the first of which is in use."""
    for name in ("first", "second"):
        certificates.make(tmp_path, name)
    replace(tmp_path, "first")
    return tmp_path


async def served(port: int) -> bytes:
    """The certificate that a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    assert isinstance(found, bytes)
    return found


def of(folder: Path, name: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert((folder / f"{name}.pem").read_text())


async def test_new_files_are_used_for_new_connections_and_old_ones_stay(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_LOOK_SECONDS", 0.02)
    trusted = ssl.create_default_context(cafile=folder / "first.pem")
    http = {"certificate": folder / "used.pem", "key": folder / "used.key"}
    async with open_port(tmp_path, http=http, tls=trusted) as port:
        alice = await port.raw("alice")
        assert await served(port.gateway.port) == of(folder, "first")
        replace(folder, "second")
        async with asyncio.timeout(10):
            while await served(port.gateway.port) != of(folder, "second"):
                await asyncio.sleep(0.01)
        await alice.say({"op": "ping", "ref": 1})
        assert (await alice.hears("pong"))["ref"] == 1
        assert port.gateway.trouble is None


async def test_bad_files_are_not_used_and_told_until_they_are_good(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "_LOOK_SECONDS", 0.02)
    http = {"certificate": folder / "used.pem", "key": folder / "used.key"}
    async with open_port(tmp_path, http=http) as port:
        replace(folder, "second", ".pem")  # the key is still the first one's
        await until(lambda: port.gateway.trouble is not None)
        assert "key values mismatch" in (port.gateway.trouble or "")
        assert await served(port.gateway.port) == of(folder, "first")
        (folder / "used.pem").write_text("nonsense")
        (folder / "used.key").unlink()
        await until(lambda: "cannot be read" in (port.gateway.trouble or ""))
        assert await served(port.gateway.port) == of(folder, "first")
        replace(folder, "second")
        await until(lambda: port.gateway.trouble is None)
        assert await served(port.gateway.port) == of(folder, "second")


async def test_the_files_can_be_read_again_on_demand(folder: Path, tmp_path: Path) -> None:
    async with open_port(tmp_path, http={"certificate": folder / "used.pem", "key": folder / "used.key"}) as port:
        replace(folder, "second")
        assert port.gateway.reload()
        assert await served(port.gateway.port) == of(folder, "second")
        (folder / "used.key").write_text("nonsense")
        assert not port.gateway.reload()
        assert await served(port.gateway.port) == of(folder, "second")


async def test_a_port_without_tls_has_nothing_to_read_again(tmp_path: Path) -> None:
    async with open_port(tmp_path) as port:
        assert port.gateway.reload()
        assert port.gateway.trouble is None


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("missing.pem", "first.key", "missing.pem cannot be read: No such file"),
        ("first.pem", "missing.key", "missing.key cannot be read: No such file"),
        ("first.pem", "second.key", "key values mismatch"),
        ("first.key", "first.key", "no certificate with its unencrypted key"),
        ("first.pem", "locked.key", "no certificate with its unencrypted key"),
    ],
)
def test_files_that_cannot_be_used_are_named_at_the_start(folder: Path, certificate: str, key: str, words: str) -> None:
    lock = ["openssl", "pkey", "-in", folder / "first.key", "-aes256", "-passout", "pass:x", "-out", folder / "locked.key"]
    subprocess.run(lock, check=True, capture_output=True, timeout=60)
    with pytest.raises(CertificateError) as caught:
        Certificate(folder / certificate, folder / key)
    assert words in str(caught.value)


def test_only_current_versions_of_tls_are_spoken(folder: Path) -> None:
    assert Certificate(folder / "first.pem", folder / "first.key").context.minimum_version == ssl.TLSVersion.TLSv1_2


async def test_plain_http_on_the_port_of_tls_is_closed(folder: Path, tmp_path: Path) -> None:
    async with open_port(tmp_path, http={"certificate": folder / "used.pem", "key": folder / "used.key"}) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.gateway.port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            assert not (await reader.read()).startswith(b"HTTP")
        writer.close()
