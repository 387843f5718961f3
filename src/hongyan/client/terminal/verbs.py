"""What a typed line does to messages: answer, edit, take back, react, search, send later; and who sees whether one is there."""

import contextlib
import re
import time
from collections.abc import Callable

from hongyan.client.client import Client
from hongyan.client.errors import ClientError
from hongyan.client.model import Event, Timer, Watcher
from hongyan.client.terminal.files import in_hit
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import Line, clock_text, title_of
from hongyan.client.terminal.words import Words
from hongyan.core.errors import HongyanError

_NUMBERED = re.compile(r"#(\d{1,15})(?:\s+|$)")
_LATER = re.compile(r"(?P<text>.*\S)\s+(?P<seconds>\d{1,8})", re.DOTALL)
_LOOK_BACK = 100
"""Events in which one's own last message is looked for."""
_HITS = 10


class Verbs:
    """`show` prints one line, `fail` says what is wrong."""

    def __init__(
        self,
        client: Client,
        words: Words,
        show: Callable[[Line], None],
        fail: Callable[..., None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._words = words
        self._show = show
        self._fail = fail
        self._clock = clock
        self._timers: list[Timer] = []
        self._watching: list[str] = []

    async def run(self, name: str, argument: str, conversation: str | None) -> None:
        """One of the verbs, in the open conversation. Raises what the client raises."""
        if name == "search":
            await self._search(argument)
        elif name == "later":
            await self._later(argument)
        elif name in ("requests", "allow", "refuse"):
            await self._watchers(name, argument)
        elif conversation is None:
            self._fail("no_conversation")
        elif name == "delay":
            await self._delay(conversation, argument)
        else:
            await self._on_message(name, conversation, argument)

    async def _on_message(self, name: str, conversation: str, argument: str) -> None:
        """`[#NUMBER] rest`: without a number the newest message, or one's own newest for what only its author does."""
        numbered = _NUMBERED.match(argument)
        rest = argument[numbered.end() :].strip() if numbered else argument
        if not rest and name != "recall":
            self._note(self._words(f"{name}_usage"))
            return
        seq = int(numbered[1]) if numbered else await self._newest(conversation, own=name in ("edit", "recall"))
        if seq is None:
            self._fail("no_message")
            return
        match name:
            case "reply":
                self._client.reply(conversation, seq, rest)
            case "edit":
                await self._client.edit(conversation, seq, rest)
            case "recall":
                await self._client.recall(conversation, seq)
            case "react":
                await self._client.react(conversation, seq, rest)

    async def _newest(self, conversation: str, *, own: bool) -> int | None:
        me = self._client.me.id if self._client.me else ""
        page = await self._client.history(conversation, limit=_LOOK_BACK)
        gone = {state.seq for state in page.amended if state.recalled is not None}
        fit = [
            event.seq
            for event in page.events
            if event.type == "message" and event.seq not in gone and (not own or event.sender == me)
        ]
        return fit[-1] if fit else None

    async def _search(self, question: str) -> None:
        found = await self._client.search(question, limit=_HITS)
        for hit in reversed(found.hits):
            event = hit.event
            self._show(
                [
                    ("time", f"{clock_text(event.time, self._clock())} "),
                    ("place", f"[{self._place(event)} #{event.seq}] "),
                    ("name", f"{harmless(self._client.state.name(event.sender or ''), lines=False)}: "),
                    ("text", harmless(in_hit(hit), lines=False)),
                ]
            )
        if not found.hits:
            self._note(self._words("nothing_found"))
        elif found.next is not None:
            self._note(self._words("more_found"))

    def _place(self, event: Event) -> str:
        view = self._client.state.conversation(event.conversation)
        me = self._client.me.id if self._client.me else ""
        return title_of(view, me, self._client.state) if view is not None else event.conversation

    async def _delay(self, conversation: str, argument: str) -> None:
        """`TEXT SECONDS`: the server keeps it and sends it, whether this client is there or not."""
        given = _LATER.fullmatch(argument)
        if given is None:
            self._note(self._words("delay_usage"))
            return
        timer = await self._client.schedule(conversation, given["text"], int((self._clock() + int(given["seconds"])) * 1000))
        self._note(self._words("delayed", at=clock_text(timer.due, self._clock())))

    async def _later(self, argument: str) -> None:
        """What waits for its time; `-N` takes the one of that number back."""
        if argument.startswith("-") and argument[1:].isdigit():
            number = int(argument[1:])
            if not 1 <= number <= len(self._timers):
                self._fail("no_timer")
                return
            await self._client.cancel_timer(self._timers[number - 1].id)
            self._note(self._words("cancelled"))
            return
        self._timers = (await self._client.timers()).timers
        for number, timer in enumerate(self._timers, 1):
            text = timer.content.get("text", "") if timer.content is not None else timer.note
            self._show(
                [
                    ("time", f"{number:3} {clock_text(timer.due, self._clock())} "),
                    ("text", harmless(str(text), lines=False)),
                    ("bad", f"  {harmless(timer.detail or timer.failed, lines=False)}" if timer.failed else ""),
                ]
            )
        if not self._timers:
            self._note(self._words("no_timers"))

    async def _watchers(self, name: str, argument: str) -> None:
        """Who of other servers sees one, or asks to; `allow` and `refuse` take a number of that list, or an address."""
        if name == "requests":
            self._watching = [one.id for one in await self._list_watchers()]
            return
        if not argument:
            self._note(self._words(f"{name}_usage"))
            return
        numbered = argument.isascii() and argument.isdigit()
        if numbered and not 1 <= int(argument) <= len(self._watching):
            self._fail("no_request")
            return
        who = self._watching[int(argument) - 1] if numbered else argument
        await (self._client.allow_watcher if name == "allow" else self._client.refuse_watcher)(who)
        self._note(self._words("allowed" if name == "allow" else "refused", user=harmless(who, lines=False)))

    async def who_asks(self) -> None:
        """At the start: whether somebody waits for an answer."""
        with contextlib.suppress(HongyanError, ClientError):
            if asking := (await self._client.watchers()).asking:
                self._note(self._words("asking", count=len(asking)))

    async def _list_watchers(self) -> list[Watcher]:
        found = (await self._client.watchers()).watchers
        for number, one in enumerate(found, 1):
            said = self._words("watcher_asks" if one.state == "asks" else "watcher_sees")
            self._show([("time", f"{number:3} "), ("name", harmless(one.id, lines=False)), ("note", f"  {said}")])
        if not found:
            self._note(self._words("no_requests"))
        return found

    def _note(self, text: str) -> None:
        self._show([("note", text)])
