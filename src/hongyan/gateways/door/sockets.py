"""Sockets to listen on."""

import socket

from hongyan.config import Endpoint

BACKLOG = 2_048
_UNSENT_BYTES = 131_072
"""That the kernel holds of each connection besides what is on its way. Accepted connections inherit it."""


class CannotListen(Exception):
    """The port cannot be opened. The text says why, for people."""


def bind(endpoint: Endpoint, shared: bool = False) -> list[socket.socket]:
    """Sockets for all addresses of the host, on the same port. Raises CannotListen.

    Processes that share a port each have a socket of their own, between which the kernel deals new connections out.
    """
    sockets: list[socket.socket] = []
    try:
        for family, host in _addresses(endpoint):
            port = sockets[0].getsockname()[1] if sockets else endpoint.port
            dual = family == socket.AF_INET6 and not host
            one = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=dual, reuse_port=shared)
            sockets.append(one)
            _keep_little_in_the_kernel(sockets[-1])
    except OSError as error:
        for one in sockets:
            one.close()
        raise CannotListen(f"Cannot listen on {endpoint}: {_reason(error)}") from error
    return sockets


def _addresses(endpoint: Endpoint) -> list[tuple[int, str]]:
    if not endpoint.host:
        return [(socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET, "")]
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [(family, str(address[0])) for family, _, _, _, address in found]


def _keep_little_in_the_kernel(one: socket.socket) -> None:
    """What a client has not taken waits here, where it is bounded and can be dropped: Linux alone would hold 4 MiB for each."""
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)


def _reason(error: OSError) -> str:
    return "there is no such host" if isinstance(error, socket.gaierror) else (error.strerror or str(error)).lower()
