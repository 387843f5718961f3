"""Loopback ports that stay free for a server that is not running yet, or just now."""

import socket


def held_port(*, datagrams: bool = False) -> socket.socket:
    """A socket that is bound to a free port and never listens.

    While it is open a server that sets SO_REUSEADDR, as all do, can listen there, come and go; nobody else is given the port, and
    who connects while the server is away is refused. (Without it a client on loopback can even connect to itself.)

    With `datagrams` the port is free for UDP too.
    """
    while True:
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", 0))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if datagrams:
                with socket.socket(type=socket.SOCK_DGRAM) as other:
                    other.bind(held.getsockname())
        except OSError:
            held.close()
        else:
            return held
