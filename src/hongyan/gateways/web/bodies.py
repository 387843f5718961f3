"""Bodies of requests, read whole and within bounds before anything looks at them."""

from hongyan.core.errors import TooLarge
from hongyan.gateways.web.asgi import Message, Receive
from hongyan.gateways.web.headers import RawHeaders, first_of


class Disconnected(Exception):
    """The client went away while it was sending."""


async def read_body(headers: RawHeaders, receive: Receive, most: int) -> bytes:
    """Up to `most` bytes; the listener bounds the time. Raises TooLarge (before reading when it can) and Disconnected."""
    announced = first_of(headers, b"content-length")
    if announced is not None and (not announced.isdecimal() or int(announced[:20]) > most):
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes) -> Receive:
    """A `receive` that gives a body that was read before."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body of this request may have {most} bytes")
