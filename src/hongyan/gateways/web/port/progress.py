"""Whether the other end of a connection takes what is written to it."""

import asyncio
import socket

_TCP_INFO_SIZE = 128
_BYTES_ACKED = slice(120, 128)  # tcpi_bytes_acked in Linux's struct tcp_info


def progress(transport: asyncio.Transport) -> object:
    """Another value whenever the peer has taken something of what waits for it.

    What its machine has acknowledged, where the system tells; with TLS the size of the buffer alone moves in large steps.
    """
    try:
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    except (AttributeError, OSError):
        return transport.get_write_buffer_size()
    return info[_BYTES_ACKED] or transport.get_write_buffer_size()
