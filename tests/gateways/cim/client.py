"""A CIM client, written from the description of the wire alone: its own protobuf, its own frames, HTTP by hand where it matters.

It shares no code with the gateway.
"""

import json
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

LOGIN, MESSAGE, PING, OFFLINE = range(4)
SECONDS = 10.0


class Message(NamedTuple):
    text: str = ""
    id: int = 0
    command: int = 0
    properties: Mapping[str, str] = {}
    batch: Sequence[str] = ()

    @property
    def texts(self) -> list[str]:
        return list(self.batch) or [self.text]


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def text_field(field: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def number_field(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def encoded(message: Message) -> bytes:
    out = b""
    if message.text:
        out += text_field(1, message.text)
    if message.id:
        out += number_field(2, message.id)
    if message.command:
        out += number_field(3, message.command)
    for key, value in message.properties.items():
        out += text_field(4, text_field(1, key) + text_field(2, value))
    for one in message.batch:
        out += text_field(5, one)
    return out


def framed(data: bytes) -> bytes:
    return varint(len(data)) + data


def frame(message: Message) -> bytes:
    return framed(encoded(message))


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
            yield key >> 3, value
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length, at = read_varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length


def decoded(data: bytes) -> Message:
    text, id, command, properties, batch = "", 0, 0, dict[str, str](), list[str]()
    for field, value in fields(data):
        if field == 1:
            text = value.decode()
        elif field == 2:
            id = value
        elif field == 3:
            command = value
        elif field == 4:
            entry = dict(fields(value))
            properties[entry[1].decode()] = entry[2].decode()
        elif field == 5:
            batch.append(value.decode())
    return Message(text, id, command, properties, tuple(batch))


def frames(data: bytes) -> tuple[list[Message], bytes]:
    """Those that are whole, and the rest."""
    found: list[Message] = []
    while data:
        try:
            length, at = read_varint(data, 0)
        except IndexError:
            break
        if len(data) < at + length:
            break
        found.append(decoded(data[at : at + length]))
        data = data[at + length :]
    return found, data


class Refused(Exception):
    def __init__(self, code: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {answer}")
        self.code = code


class Api:
    """The route, as a client calls it."""

    def __init__(self, url: str, token: str | None = None, local: str = "127.0.0.1") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(
            base_url=url, timeout=SECONDS, headers=headers, transport=httpx.HTTPTransport(verify=False, local_address=local)
        )

    def call(self, path: str, **body: Any) -> Any:
        """The dataBody of a success. Raises Refused with every other code."""
        answer = self.post(path, body)
        if answer["code"] != "9000":
            raise Refused(answer["code"], answer)
        return answer["dataBody"]

    def post(self, path: str, body: Any) -> Any:
        answer = self.http.post(path, json={"reqNo": "1", "timeStamp": 1, **body})
        assert answer.status_code == 200
        found = answer.json()
        assert set(found) == {"code", "message", "reqNo", "dataBody"}
        return found

    def code(self, path: str, **body: Any) -> str:
        return str(self.post(path, body)["code"])

    def online(self) -> dict[int, str]:
        answer = self.http.get("/onlineUser").json()
        if answer["code"] != "9000":
            raise Refused(answer["code"], answer)
        return {one["userId"]: one["userName"] for one in answer["dataBody"]}


class Wire:
    """A TCP connection. `dice` cuts what is sent into random pieces."""

    def __init__(self, port: int, *, local: str = "127.0.0.1", dice: random.Random | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS, (local, 0))
        self._dice = dice
        self._rest = b""
        self.received: list[Message] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def send(self, message: Message) -> None:
        self.send_bytes(frame(message))

    def send_bytes(self, data: bytes) -> None:
        if self._dice is None:
            self.socket.sendall(data)
            return
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data:
            size = self._dice.randint(1, 7)
            self.socket.sendall(data[:size])
            data = data[size:]

    def login(self, number: int, name: str) -> None:
        self.send(Message(name, number, LOGIN))

    def ping(self, number: int = 0) -> None:
        """And the answer."""
        before = sum(one.command == PING for one in self.received)
        self.send(Message("ping", number, PING))
        self.until(lambda: sum(one.command == PING for one in self.received) > before)

    def until(self, condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """Read until it holds; the end of the connection fails."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert self._read(deadline), "the server has closed the connection"
        return found

    def wait_closed(self, seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass

    def texts(self, command: int = MESSAGE) -> list[str]:
        return [text for one in self.received if one.command == command for text in one.texts]

    def text(self, text: str, command: int = MESSAGE) -> Message:
        """The message with this text."""
        return self.until(  # type: ignore[no-any-return]
            lambda: next((one for one in self.received if one.command == command and text in one.texts), None)
        )

    def _read(self, deadline: float) -> bool:
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        except TimeoutError:
            raise AssertionError(f"did not come in time; so far {self.received}") from None
        found, self._rest = frames(self._rest + data)
        self.received += found
        return bool(data)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """As a machine does that has lost its memory."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Person:
    """An account with its client: `route` and, once logged in, `wire`."""

    def __init__(self, api: Api, name: str, number: int, local: str = "127.0.0.1") -> None:
        self.api = api
        self.name = name
        self.number = number
        self.local = local
        self.wire: Wire
        self._wires: list[Wire] = []

    def login(self, dice: random.Random | None = None) -> Self:
        """As clients do: ask the route, connect, log in; it stands when a ping is answered after it."""
        body = {"userId": self.number, "userName": self.name}
        place = self.api.call("/login", **body)
        assert place["ip"] == "127.0.0.1"
        self.wire = Wire(place["cimServerPort"], local=self.local, dice=dice)
        self._wires.append(self.wire)
        self.wire.login(self.number, self.name)
        self.wire.ping(self.number)
        return self

    def fetch(self) -> str:
        """The code."""
        return self.api.code("/fetchOfflineMsgs", receiveUserId=self.number)

    def group(self, text: str) -> None:
        self.api.call("/groupRoute", userId=self.number, msg=text)

    def tell(self, other: int, text: str) -> str:
        """The code."""
        return self.api.code("/p2pRoute", userId=self.number, receiveUserId=other, msg=text)

    def quit(self) -> None:
        """The connection, and what is left of older ones, ends."""
        for wire in self._wires:
            wire.close()


def raw_http(port: int, data: bytes) -> bytes:
    """Everything that is answered until the server closes."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as one:
        one.sendall(data)
        out = b""
        while piece := one.recv(65536):
            out += piece
        return out


def json_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])
