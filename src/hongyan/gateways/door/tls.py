"""The certificate of the port, loaded again when its files change. Connections that stand keep what they began with."""

import logging
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256

log = logging.getLogger("hongyan.tls")


class CertificateError(Exception):
    """The files cannot be used. The text says why, for people."""


class Certificate:
    """Raises CertificateError when the files cannot be used at the start. Later a bad file leaves the good one in place."""

    def __init__(self, certificate: Path, key: Path, *protocols: str) -> None:
        """`protocols` are those of ALPN."""
        self._files = (certificate, key)
        self._protocols = protocols
        self._seen = self._look()
        self.context = self._new_context()
        """For new connections; stays the same object."""
        self.trouble: str | None = None
        """Why the files on the disk are not the ones in use."""
        self._load(self._new_context())
        self._load(self.context)

    @property
    def end_point(self) -> bytes:
        """Of the certificate in use: `tls-server-end-point` (RFC 5929, section 4)."""
        return self._end_point

    def changed(self) -> bool:
        """Whether the files are others than when they were last read."""
        return self._look() != self._seen

    def reload(self) -> bool:
        """Read the files again; whether they are in use now."""
        self._seen = self._look()
        try:
            self._load(self._new_context())  # a key that does not fit would leave half of it in a context in use
            self._load(self.context)
        except CertificateError as error:
            self.trouble = f"The new certificate is not used: {error}"
            log.error("%s", self.trouble)
            return False
        self.trouble = None
        log.info("the certificate was read again")
        return True

    def _look(self) -> tuple[object, ...]:
        return tuple(_signature(file) for file in self._files)

    def _load(self, context: ssl.SSLContext) -> None:
        certificate, key = self._files
        for file in self._files:
            try:
                file.read_bytes()
            except OSError as error:
                raise CertificateError(f"{file} cannot be read: {error.strerror}") from None
        try:
            # Without a password function OpenSSL would ask on the terminal.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            raise CertificateError(f"{certificate} and {key} are no certificate with its unencrypted key: {reason}") from None
        self._end_point = _end_point(certificate.read_bytes())

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(self._protocols)
        return context


def _end_point(pem: bytes) -> bytes:
    """The hash of the certificate, by the algorithm of its signature, but none that is weaker than SHA-256."""
    certificate = x509.load_pem_x509_certificate(pem)
    used = certificate.signature_hash_algorithm
    return certificate.fingerprint(SHA256() if used is None or isinstance(used, MD5 | SHA1) else used)


def _signature(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
