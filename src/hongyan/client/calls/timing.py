"""Messages for later, and reminders."""

from collections.abc import Callable

from hongyan.client.model import Json, Timer, TimerList
from hongyan.client.rest import Rest, at


class Timing:
    """Times are milliseconds since 1970 UTC. The server keeps timers: they go when no client is there, too."""

    def __init__(self, rest: Rest, next_id: Callable[[], str]) -> None:
        self._rest = rest
        self._next_id = next_id

    async def schedule(self, conversation: str, text: str, due: int) -> Timer:
        """Send a text then, exactly once."""
        return await self.schedule_content(conversation, {"type": "text", "text": text}, due)

    async def schedule_content(self, conversation: str, content: Json, due: int) -> Timer:
        """The same for any content."""
        return await self._make({"kind": "send", "conversation": conversation, "content": content, "due": due})

    async def remind(self, conversation: str, seq: int, due: int, note: str = "") -> Timer:
        """Be reminded of a message then, by a `reminder` event."""
        return await self._make({"kind": "reminder", "conversation": conversation, "seq": seq, "due": due, "note": note})

    async def timers(self) -> TimerList:
        """All of them, as of exactly its `cursor`; those that could not go say why."""
        return await self._rest.call("GET", "/v1/me/timers", answer=TimerList)

    async def change_timer(
        self, timer: str, *, due: int | None = None, text: str | None = None, note: str | None = None
    ) -> Timer:
        """Raises NotFound when it has gone."""
        body: Json = {"due": due, "content": None if text is None else {"type": "text", "text": text}, "note": note}
        given = {name: value for name, value in body.items() if value is not None}
        return await self._rest.call("PATCH", at("me", "timers", timer), given, answer=Timer, repeatable=True)

    async def cancel_timer(self, timer: str) -> None:
        """Raises NotFound when it has gone."""
        await self._rest.call("DELETE", at("me", "timers", timer))

    async def _make(self, body: Json) -> Timer:
        body["client_id"] = self._next_id()
        return await self._rest.call("POST", "/v1/me/timers", body, answer=Timer, repeatable=True)
