"""Whether the other end of a connection takes what is written to it."""

import asyncio
import socket

_TCP_INFO_SIZE = 128
_BYTES_ACKED = slice(120, 128)  # tcpi_bytes_acked in Linux's struct tcp_info


def progress(transport: asyncio.Transport) -> object:
    """Another value whenever the peer has taken something of what waits for it.

    What its machine has acknowledged, where the system tells; with TLS the size of the buffer alone moves in large steps.
    """
    return acknowledged(transport) or transport.get_write_buffer_size()


def acknowledged(transport: asyncio.Transport) -> int | None:
    """Bytes that the peer's machine has taken since the connection began; None where the system does not tell."""
    try:
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    except (AttributeError, OSError):
        return None
    return int.from_bytes(info[_BYTES_ACKED], "little") if len(info) == _TCP_INFO_SIZE else None
