"""A decoder for text/event-stream, sans I/O (WHATWG HTML, section 9.2.6, "Interpreting an event stream")."""

import codecs

import msgspec

_MOST = 16 * 1024 * 1024


class ServerSentEvent(msgspec.Struct, frozen=True):
    event: str
    """The type; `message` unless the stream named one."""
    data: str
    id: str
    """The last id that the stream gave, now or before."""


class EventStreamDecoder:
    """Feed bytes as they come, get whole events. An event that was not ended by an empty line is never given."""

    def __init__(self, most: int = _MOST) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._started = False
        self._skip_newline = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._most = most
        self.last_id = ""
        self.retry: int | None = None
        """Milliseconds that the server asked to wait before a reconnect."""

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Raises ValueError when one event is larger than the bound."""
        text = self._text.decode(chunk)
        if not self._started and text:
            self._started = True
            text = text.removeprefix("\ufeff")
        if self._skip_newline and text:
            self._skip_newline = False
            text = text.removeprefix("\n")
        if text.endswith("\r"):  # the line ends here; a "\n" that may follow belongs to it
            self._skip_newline = True
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = (self._rest + text).split("\n") if "\n" in text else [self._rest + text]
        self._rest = lines.pop()
        self._size += len(text)
        found = [event for line in lines if (event := self._line(line)) is not None]
        if self._size > self._most:
            raise ValueError("an event of the stream is larger than allowed")
        return found

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = "", [], len(self._rest)
        if not data:
            return None
        return ServerSentEvent(event or "message", "\n".join(data), self.last_id)
