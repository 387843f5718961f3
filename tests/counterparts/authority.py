"""A certificate authority of a test's own, made by openssl."""

import subprocess
from pathlib import Path


class Authority:
    """`certificate` is what is to be believed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "authority.pem"
        _openssl(
            "req",
            "-x509",
            *_KEY,
            "-keyout",
            folder / "authority.key",
            "-out",
            self.certificate,
            "-days",
            "30",
            "-subj",
            "/CN=Test",
        )

    def issue(self, *names: str, alternative: bool = True) -> tuple[Path, Path]:
        """A certificate for these domains, with its chain, and its key. Not `alternative`: its subject alone says it."""
        base = self.folder / names[0]
        key, certificate, request, extensions = (base.with_name(f"{names[0]}{end}") for end in (".key", ".pem", ".csr", ".ext"))
        _openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={names[0]}")
        said = "subjectAltName=" + ",".join(f"DNS:{name}" for name in names) if alternative else "basicConstraints=CA:FALSE"
        extensions.write_text(f"{said}\n")
        signer = ("-CA", self.certificate, "-CAkey", self.folder / "authority.key", "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *signer, "-out", certificate, "-days", "30", "-extfile", extensions)
        certificate.write_text(certificate.read_text() + self.certificate.read_text())
        key.chmod(0o644)  # other programs run as users of their own
        return certificate, key


_KEY = ("-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
