"""Certificates for tests, made by openssl."""

import subprocess
from pathlib import Path


def make(
    folder: Path, name: str = "tls", *, days: int = 90, host: str = "localhost", names: str | None = None
) -> tuple[Path, Path]:
    """A self-signed certificate for `host` and 127.0.0.1, and its key. `names`: another subjectAltName, or none if empty."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    kind = ["-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = f"DNS:{host},IP:127.0.0.1" if names is None else names
    who = ["-subj", f"/CN={host}", *(["-addext", f"subjectAltName={names}"] if names else [])]
    command = ["openssl", "req", *kind, *who, "-days", str(days), "-out", certificate, "-keyout", key]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    key.chmod(0o600)
    return certificate, key
