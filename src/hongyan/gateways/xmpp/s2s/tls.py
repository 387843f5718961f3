"""TLS between servers, where a certificate that nobody vouches for may still be followed by a dialback: the handshake succeeds,
and what the certificate is worth is asked afterwards. The standard library cannot do that for the side that is called.
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL
from service_identity import CertificateError as NoIdentity
from service_identity import VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, SRV_ID, verify_service_identity

from hongyan.gateways.door.tls import CertificateError

_READ = 65_536
_WRONG_PURPOSE = 26
"""X509_V_ERR_INVALID_PURPOSE: a certificate for servers is shown by one that calls."""


class TlsFault(Exception):
    """The handshake failed, or what came is no TLS."""


def make_context(certificate: Path, key: Path, authorities: Path | None) -> SSL.Context:
    """For both directions; `authorities` are believed instead of those of the system. Raises CertificateError."""
    try:
        return _context(certificate, key, authorities)
    except (OSError, SSL.Error) as error:
        what = f"{certificate}, {key}" + (f" and {authorities}" if authorities is not None else "")
        raise CertificateError(
            f"TLS between servers cannot be made of {what}: {str(error) or 'one of them cannot be read'}"
        ) from None


def _context(certificate: Path, key: Path, authorities: Path | None) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(key))
    context.check_privatekey()
    if authorities is not None:
        context.load_verify_locations(str(authorities))
    else:
        context.set_default_verify_paths()
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER, _looked_at)
    return context


def _looked_at(connection: SSL.Connection, certificate: object, error: int, depth: int, ok: int) -> bool:
    if error and error != _WRONG_PURPOSE:
        connection.get_app_data().trusted = False
    return True


class Tls:
    """One connection: bytes of the network in and out, and what was said inside. Sans I/O."""

    def __init__(self, context: SSL.Context, *, calls: str | None) -> None:
        """`calls` is the domain that is called; None on the side that is called."""
        self.trusted = True
        """Nothing was wrong with the chain so far; see `proves`."""
        self.established = False
        self._ssl = SSL.Connection(context, None)
        self._ssl.set_app_data(self)
        if calls is None:
            self._ssl.set_accept_state()
        else:
            self._ssl.set_tlsext_host_name(calls.encode())
            self._ssl.set_connect_state()

    def receive(self, data: bytes) -> bytes:
        """What was said inside. Raises TlsFault; after it, or the other side's end, there is still something to send."""
        if data:
            self._ssl.bio_write(data)
        if not self.established and not self._shake():
            return b""
        said = bytearray()
        try:
            while True:
                said += self._ssl.recv(_READ)
        except SSL.WantReadError:
            pass
        except (SSL.ZeroReturnError, SSL.SysCallError):
            pass  # its end; the connection's follows
        except SSL.Error as error:
            raise TlsFault(str(error)) from None
        return bytes(said)

    def send(self, data: bytes) -> None:
        """Raises TlsFault."""
        try:
            while data:
                data = data[self._ssl.send(data) :]
        except SSL.Error as error:
            raise TlsFault(str(error)) from None

    def outgoing(self) -> bytes:
        """For the network."""
        made = bytearray()
        try:
            while True:
                made += self._ssl.bio_read(_READ)
        except SSL.WantReadError:
            return bytes(made)

    def proves(self, domain: str) -> bool:
        """Somebody who is believed says that the other side is this domain (RFC 6125, by names in SAN only)."""
        shown = self._ssl.get_peer_certificate() if self.established else None
        if shown is None or not self.trusted:
            return False
        return proves(shown.to_cryptography(), domain)

    def _shake(self) -> bool:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise TlsFault(str(error)) from None
        self.established = True
        return True


def proves(certificate: x509.Certificate, domain: str) -> bool:
    if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
        return False
    for name in (DNS_ID(domain), SRV_ID(f"_xmpp-server.{domain}")):
        try:
            verify_service_identity(extract_patterns(certificate), obligatory_ids=[name], optional_ids=[])
        except (VerificationError, NoIdentity, ValueError):
            continue
        return True
    return False
