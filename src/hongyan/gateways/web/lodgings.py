"""The addresses that another gateway has on this port, behind the same gate as all others: origin first, then the rate."""

from hongyan.core.errors import MethodNotAllowed, NotFound
from hongyan.gateways.door.lent import Caller, Lodger
from hongyan.gateways.web.asgi import Receive, Scope, Send, answer, disconnected
from hongyan.gateways.web.bodies import read_body
from hongyan.gateways.web.headers import RawHeaders, all_of
from hongyan.gateways.web.watching import while_there

_HTTPS = frozenset({"https", "wss"})


class Lodgings:
    def __init__(self, lodger: Lodger | None) -> None:
        self._lodger = lodger
        self._paths = frozenset() if lodger is None else lodger.posts | lodger.documents

    def __contains__(self, path: str) -> bool:
        return path in self._paths

    async def serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises MethodNotAllowed, TooLarge, Overloaded, Disconnected."""
        if self._lodger is None:
            raise NotFound("There is nothing at this address")
        caller = caller_of(scope["client"][0], scope["scheme"], scope["headers"])
        posts = path in self._lodger.posts
        allowed = ("POST",) if posts else ("GET", "HEAD")
        method = scope["method"]
        if method == "OPTIONS":
            await answer(send, 204, [(b"allow", ", ".join([*allowed, "OPTIONS"]).encode())])
            return
        if method not in allowed:
            raise MethodNotAllowed(f"This address takes {' and '.join(allowed)}")
        if posts:
            body = await read_body(scope["headers"], receive, self._lodger.most_body(caller.address))
            found = await while_there(self._lodger.post(path, body, caller), disconnected(receive))
            if found is None:
                return
            kind, said = found
        else:
            kind, said = self._lodger.document(path, caller)
        await answer(send, 200, [(b"content-type", kind), (b"content-length", b"%d" % len(said))], said)


def caller_of(address: str, scheme: str, headers: RawHeaders) -> Caller:
    """`address` and `scheme` are the client's: see `addresses.Proxies`."""
    hosts = all_of(headers, b"host")
    return Caller(address, scheme in _HTTPS, hosts[0] if len(hosts) == 1 else "")
