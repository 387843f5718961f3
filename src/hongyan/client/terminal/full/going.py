"""Going somewhere on the whole screen: what is looked for in a window above it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from hongyan.client.terminal.files import in_hit
from hongyan.client.terminal.full.dialogs import Ask, Choice, Choose, listed
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import clock_text, title_of

if TYPE_CHECKING:
    from hongyan.client.terminal.full.app import FullScreen

_PEOPLE = 20
_HITS = 30


class Going:
    def __init__(self, app: "FullScreen") -> None:
        self._app = app
        self._words = app.words
        self._client = app.client

    async def jump(self) -> None:
        """Any conversation or person by a part of its name."""

        async def chosen(value: str) -> None:
            await self._app.open(await self.conversation_of(value))

        self.choose_place(chosen)

    async def talk_to(self, user: str) -> None:
        await self._app.attempt(self._open_direct(user))

    async def _open_direct(self, user: str) -> None:
        await self._app.open(await self.conversation_of(f"user:{user}"))

    async def conversation_of(self, value: str) -> str:
        kind, _, id = value.partition(":")
        return (await self._client.create_direct(id)).id if kind == "user" else id

    def choose_place(self, chosen: Callable[[str], Awaitable[None]]) -> None:
        state, me = self._client.state, self._app.me

        async def find(text: str) -> Sequence[Choice]:
            wanted = text.casefold()
            found = [
                Choice(Text(title_of(one, me, state), style="bold" if one.unread else ""), f"room:{one.id}")
                for one in state.conversations
                if wanted in title_of(one, me, state).casefold() or wanted == one.id
            ]
            if text:
                found += [
                    Choice(Text(f"{harmless(user.name, lines=False)}  {user.id}", style="cyan"), f"user:{user.id}")
                    for user in await self._client.users(text, _PEOPLE)
                    if user.id != me
                ]
                if not found and "@" in text:  # of another server, which the server asks
                    found.append(Choice(Text(harmless(text, lines=False), style="cyan"), f"user:{text}"))
            return found

        self._app.push_screen(Choose(self._words("tui_jump"), self._words("tui_nothing"), find), self._app.then(chosen))

    async def search(self, question: str = "") -> None:
        """Messages, in the words of the search."""
        state, me = self._client.state, self._app.me

        async def find(text: str) -> Sequence[Choice]:
            if not text:
                return []
            found = []
            for hit in (await self._client.search(text, limit=_HITS)).hits:
                view = state.conversation(hit.event.conversation)
                title = title_of(view, me, state) if view is not None else ""
                when = clock_text(hit.event.time, time.time())
                line = Text(f"{when}  {title}  {self._app.name_of(hit.event.sender or '')}\n", style="dim")
                line.append(harmless(in_hit(hit), lines=False), style="")
                found.append(Choice(line, f"{hit.event.conversation}\n{hit.event.seq}"))
            return found

        async def chosen(value: str) -> None:
            conversation, _, seq = value.partition("\n")
            await self._app.open(conversation, around=int(seq))

        dialog = Choose(self._words("tui_search"), self._words("tui_nothing"), find, question)
        self._app.push_screen(dialog, self._app.then(chosen))

    async def channels(self) -> None:
        """Find a channel and join it."""

        async def find(text: str) -> Sequence[Choice]:
            page = await self._client.channels(text)
            return [
                Choice(Text(f"# {harmless(one.title, lines=False)}  {one.member_count}{' ✓' if one.joined else ''}"), one.id)
                for one in page.channels
            ]

        async def chosen(channel: str) -> None:
            await self._app.open((await self._client.join(channel)).id)

        self._app.push_screen(Choose(self._words("tui_channels"), self._words("tui_nothing"), find), self._app.then(chosen))

    async def group(self) -> None:
        """A new group: its title, then its people."""

        async def titled(title: str) -> None:
            async def named(people: str) -> None:
                await self._app.open((await self._client.create_group(title, listed(people))).id)

            self._app.push_screen(Ask(self._words("tui_group_people")), self._app.then(named))

        self._app.push_screen(Ask(self._words("tui_group_title")), self._app.then(titled))

    async def waiting(self) -> None:
        """What waits for its time: the chosen one is taken back."""

        async def find(text: str) -> Sequence[Choice]:
            timers = (await self._client.timers()).timers
            shown = [
                (timer.id, timer.content.get("text", "") if timer.content is not None else timer.note, timer.due)
                for timer in timers
            ]
            return [
                Choice(Text(f"{clock_text(due, time.time())}  {harmless(str(said), lines=False)}"), id)
                for id, said, due in shown
                if text in str(said)
            ]

        async def chosen(id: str) -> None:
            await self._client.cancel_timer(id)
            self._app.notify(self._words("cancelled"))

        self._app.push_screen(Choose(self._words("tui_waiting"), self._words("no_timers"), find), self._app.then(chosen))
