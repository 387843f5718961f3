"""For whom somebody wants to act, as SASL lets clients say: nobody but themselves."""

from hongyan.core import text
from hongyan.core.errors import Forbidden, Invalid


def require_own(authzid: str, name: str, domain: str) -> None:
    """It is empty, the account, or the account's address at `domain` (RFC 6120, section 6.3.8). Raises Forbidden."""
    if authzid and not _same(authzid, name, domain):
        raise Forbidden("Nobody may act for somebody else here")


def _same(authzid: str, name: str, domain: str) -> bool:
    local, at, place = authzid.partition("@")
    try:
        return text.account_name(local) == text.account_name(name) and (not at or place.lower() == domain.lower())
    except Invalid:
        return False
