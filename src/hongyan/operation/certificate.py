"""What is wrong with a TLS certificate and its key, found by using them: a handshake in memory, without a socket. And the names
that it is for.
"""

import contextlib
import ssl
import time
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, SRV_ID, verify_service_identity

_SOON_DAYS = 14
_DAY = 86_400


def trouble(certificate: Path, key: Path, now: float | None = None) -> str | None:
    """A sentence when they cannot be used now or soon; None when all is well. `now` is seconds since 1970."""
    now = time.time() if now is None else now
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            return f"The file {path} cannot be read: {error.strerror or error}"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        server.load_cert_chain(certificate, key, password=lambda: b"")  # otherwise OpenSSL asks on the terminal
    except (ssl.SSLError, ValueError) as error:
        reason = "they do not belong together" if "MISMATCH" in str(error) else "one of them is not PEM, or has a passphrase"
        return f"{certificate} and {key} cannot be used for TLS: {reason}"
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the certificate vouches for itself: only its dates matter here
    client.load_verify_locations(cafile=str(certificate))
    try:
        until = _valid_until(server, client)
    except ssl.SSLCertVerificationError as error:
        return f"The certificate {certificate} is not good: {error.verify_message}"
    except ssl.SSLError as error:
        return f"The certificate {certificate} is not good for a TLS server: {error.reason or error}"
    days = (until - now) / _DAY
    if days < 0:
        return f"The certificate {certificate} has expired"
    if days < _SOON_DAYS:
        return f"The certificate {certificate} expires in {days:.0f} days"
    return None


def unnamed(certificate: Path, wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Of these domains, each with a service, those that it does not have (RFC 6125: DNS and SRV names in SAN, no subject alone).

    None when it cannot be read, which is trouble of its own.
    """
    try:
        names = extract_patterns(x509.load_pem_x509_certificate(certificate.read_bytes()))
    except (OSError, ValueError, CertificateError):
        return []

    def has(domain: str, service: str) -> bool:
        for kind, name in ((DNS_ID, domain), (SRV_ID, f"_{service}.{domain}")):
            with contextlib.suppress(VerificationError, CertificateError, ValueError):
                verify_service_identity(names, obligatory_ids=[kind(name)], optional_ids=[])
                return True
        return False

    return list(dict.fromkeys(domain for domain, service in wanted if not has(domain, service)))


def _valid_until(server: ssl.SSLContext, client: ssl.SSLContext) -> float:
    """When the certificate ends, in seconds since 1970. Raises ssl.SSLError when the handshake fails."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    client_side = client.wrap_bio(to_client, to_server)
    for _ in range(8):
        for side in (client_side, server_side):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
        if client_side.version() is not None and (found := client_side.getpeercert()):
            return ssl.cert_time_to_seconds(str(found["notAfter"]))
    raise ssl.SSLError("the handshake did not end")
