"""Where a service is: names to addresses. What a name says is asked anew whenever somebody connects, so it may change meanwhile.

`find(url)` gives the hosts and ports of a URL now, and `aimed(url, target)` the plain URL of one of them; `srv(name, resolver)`
is one look-up, `public_address(host)` one of a host that a stranger has named. What is spoken there, and whose certificate
counts, is the matter of who connects.
"""

from hongyan.finding.public import NotPublicError, is_public, public_address
from hongyan.finding.srv import CannotFind, Records, parse_name_server, resolver, srv
from hongyan.finding.target import Target
from hongyan.finding.urls import aimed, check, find

__all__ = [
    "CannotFind",
    "NotPublicError",
    "Records",
    "Target",
    "aimed",
    "check",
    "find",
    "is_public",
    "parse_name_server",
    "public_address",
    "resolver",
    "srv",
]
