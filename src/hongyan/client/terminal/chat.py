"""The conversation between a person at a terminal and the client: what each line does, and what is shown of each event."""

import asyncio
from collections.abc import Callable
from typing import get_args

from hongyan.client.client import Client
from hongyan.client.errors import ClientError
from hongyan.client.follow import Link
from hongyan.client.model import Conversation, Event, TransportName, User
from hongyan.client.outbox import Entry
from hongyan.client.state import State
from hongyan.client.terminal.commands import Command, Private, Say, Unknown, parse
from hongyan.client.terminal.emoji import page
from hongyan.client.terminal.hook import Hook
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import Line, clock_text, message_line, note_of, padded, title_of
from hongyan.client.terminal.words import Words
from hongyan.core.errors import HongyanError

_HELP = ("say", "open", "list", "history", "olu", "pu", "info", "transport", "emoji", "all", "q")


class Chat:
    """`show` prints one line. `interactive` is a person who sees own messages come back; a pipe knows what it sent."""

    def __init__(
        self, client: Client, words: Words, show: Callable[[Line], None], *, hook: Hook | None, interactive: bool
    ) -> None:
        self._client = client
        self._words = words
        self._show = show
        self._hook = hook
        self._interactive = interactive
        self.current: str | None = None
        self.ended = asyncio.Event()
        self.failures = 0
        self._was_online = False
        client.on_event(self._event)
        client.on_state(self._link)
        client.on_reload(self._reloaded)
        client.on_send_failed(self._send_failed)

    # Lines

    async def line(self, text: str) -> None:
        """Do what a typed line says."""
        try:
            match parse(text):
                case Say(text):
                    await self._say(text)
                case Private(person, text):
                    await self._private(person, text)
                case Unknown(name, nearest):
                    name = harmless(name, lines=False)
                    self.note(
                        self._words("unknown_near", name=name, nearest=nearest) if nearest else self._words("unknown", name=name)
                    )
                case Command(name, argument):
                    await self._command(name, argument)
                case _:
                    pass
        except (HongyanError, ClientError) as error:
            self.note(self._words("failed", reason=harmless(str(error), lines=False)), "bad")

    async def _command(self, name: str, argument: str) -> None:
        match name:
            case "q":
                self.ended.set()
            case "all" | "help":
                self.note(self._words("help"))
                for part in _HELP:
                    self.note("  " + self._words(f"help_{part}"))
            case "olu":
                await self._online()
            case "open":
                await self._open(argument)
            case "list":
                self._list()
            case "history":
                await self._history(int(argument) if argument.isascii() and argument.isdigit() else 20)
            case "info":
                await self._info()
            case "transport":
                self._transport(argument)
            case "pu":
                await self._people(argument)
            case "emoji":
                line, number, pages = page(int(argument) if argument.isascii() and argument.isdigit() else 1)
                self.note(f"{line}\n{self._words('page', page=number, pages=pages)}", "text")

    async def _say(self, text: str) -> None:
        if self.current is None:
            self.choose(None)
        if self.current is None:
            self.failures += 1
            self.note(self._words("no_conversation"), "bad")
            return
        self._client.post(self.current, text)

    async def _private(self, person: str, text: str) -> None:
        user = await self._person(person)
        if user is None:
            self.failures += 1
            return
        conversation = await self._client.create_direct(user)
        self._client.post(conversation.id, text)

    async def _person(self, name: str) -> str | None:
        """An id, or a display name that only one person has. Says so otherwise."""
        wanted = name.casefold()
        found = {user.id: user for user in await self._client.users(name, 50)}
        for user, shown in self._client.state.names.items():
            found.setdefault(user, User(user, shown))
        if wanted in found:
            return wanted
        same = sorted((user for user in found.values() if user.name.casefold() == wanted), key=lambda user: user.id)
        if len(same) == 1:
            return same[0].id
        shown = harmless(name, lines=False)
        if same:
            self.note(self._words("ambiguous", name=shown, people="、".join(f"{user.id}（{user.name}）" for user in same)), "bad")
        else:
            self.note(self._words("nobody", name=shown), "bad")
        return None

    async def _online(self) -> None:
        people = await self._client.online()
        if not people:
            self.note(self._words("nobody_online"))
        for person in people:
            devices = "、".join(f"{device.device} {device.transport}" for device in person.devices)
            text = f"{padded(harmless(person.id, lines=False), 16)} {padded(harmless(person.name, lines=False), 16)} {person.status}  "
            self.note(text + harmless(devices, lines=False), "text")

    async def _people(self, prefix: str) -> None:
        if not prefix:
            self.note(self._words("pu_usage"))
            return
        people = await self._client.users(prefix, 50)
        if not people:
            self.note(self._words("nobody", name=harmless(prefix, lines=False)))
        for person in people:
            self.note(f"{padded(harmless(person.id, lines=False), 16)} {harmless(person.name, lines=False)}", "text")

    async def _open(self, argument: str) -> None:
        if not argument:
            self.note(self._words("open_usage"))
            return
        found = self.find(argument)
        if found is None:
            people = await self._client.users(argument, 2)
            exact = [user for user in people if argument.casefold() in (user.id, user.name.casefold())]
            if len(exact) != 1:
                self.note(self._words("no_such_conversation", name=harmless(argument, lines=False)), "bad")
                return
            found = await self._client.create_direct(exact[0].id)
        self.current = found.id
        self.note(self._words("opened", title=self._title(found)))
        await self._history(10)

    def _list(self) -> None:
        for number, conversation in enumerate(self._client.state.conversations, 1):
            mark = "*" if conversation.id == self.current else " "
            unread = self._words("unread", count=conversation.unread) if conversation.unread else ""
            self.note(f"{mark}{number:3} {padded(self._title(conversation), 24)} {unread}".rstrip(), "text")

    async def _history(self, count: int) -> None:
        if self.current is None:
            self.note(self._words("no_conversation"))
            return
        events = (await self._client.history(self.current, limit=min(max(count, 1), 500))).events
        if not events:
            self.note(self._words("no_history"))
            return
        for event in events:
            await self._show_event(event, place=None)
        await self._client.read(self.current, events[-1].seq)

    async def _info(self) -> None:
        client = self._client
        try:
            delay = f"{await client.ping() * 1000:.1f} ms"
        except (HongyanError, ClientError):
            delay = self._words("unmeasured")
        me = client.me
        values = {"user": me.id if me else "", "name": harmless(me.name if me else "", lines=False), "server": client.server}
        link = {"transport": client.transport, "link": client.link.connection, "cursor": client.cursor or "", "delay": delay}
        self.note(self._words("info", **values, **link, outbox=client.outbox_size), "text")

    def _transport(self, name: str) -> None:
        known: tuple[TransportName, ...] = get_args(TransportName)
        chosen = next((transport for transport in known if transport == name), None)
        if chosen is None and name != "auto":
            self.note(self._words("transports"))
        else:
            self._was_online = False
            self._client.force_transport(chosen)

    # Conversations

    def choose(self, wanted: str | None) -> None:
        """The current conversation at the start: what was asked for, the lobby, or the first."""
        conversations = self._client.state.conversations
        if wanted is not None:
            found = self.find(wanted)
            if found is None:
                self.note(self._words("no_such_conversation", name=harmless(wanted, lines=False)), "bad")
        else:
            found = next((one for one in conversations if one.id == "lobby"), conversations[0] if conversations else None)
        self.current = found.id if found else None

    def find(self, wanted: str) -> Conversation | None:
        """By number in the list, id, title, or the beginning of a title when only one has it."""
        conversations = self._client.state.conversations
        if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(conversations):
            return conversations[int(wanted) - 1]
        name = wanted.casefold()
        for one in conversations:
            if name in (one.id.casefold(), self._title(one).casefold()):
                return one
        begin = [one for one in conversations if self._title(one).casefold().startswith(name)]
        return begin[0] if len(begin) == 1 else None

    def title(self) -> str:
        """Of the current conversation, for the prompt."""
        found = self._client.state.conversation(self.current) if self.current else None
        return self._title(found) if found else ""

    def titles(self) -> list[str]:
        return [self._title(one) for one in self._client.state.conversations]

    def _title(self, conversation: Conversation) -> str:
        return title_of(conversation, self._client.me.id if self._client.me else "", self._client.state)

    # Events

    async def _event(self, event: Event) -> None:
        if event.type == "message" and event.sender is not None and event.sender not in self._client.state.names:
            try:
                await self._client.user(event.sender)
            except (HongyanError, ClientError):
                pass
        here = event.conversation == self.current
        known = self._client.state.conversation(event.conversation)
        title = self._title(known) if known else event.conversation
        own = self._client.me is not None and event.sender == self._client.me.id
        if self._interactive or not own:
            await self._show_event(event, place=None if here else title)
        if event.type == "message" and self._hook is not None:
            await self._hook.message(event, name=self._client.state.name(event.sender or ""), title=title, own=own)
        if here and not own and event.type == "message":
            await self._client.read(event.conversation, event.seq)

    async def _show_event(self, event: Event, *, place: str | None) -> None:
        own = self._client.me is not None and event.sender == self._client.me.id
        name = self._client.state.name(event.sender or "")
        if event.type == "message":
            self._show(message_line(event, name=name, own=own, place=place, words=self._words))
        elif (note := note_of(event, self._client.state, self._words)) is not None:
            stamp = clock_text(event.time, event.time / 1000)
            self.note(f"{stamp} [{place}] {note}" if place else f"{stamp} {note}")

    def _link(self, link: Link) -> None:
        if link.connection == "online" and not self._was_online:
            self._was_online = True
            self._status(self._words("online", transport=link.transport))
        elif link.connection == "waiting" and link.wait >= 1:
            self._was_online = False
            reason = harmless(link.reason, lines=False)
            self._status(self._words("waiting", wait=round(link.wait), reason=reason))
        elif link.connection in ("login", "stopped"):
            self.note(self._words(link.connection, reason=harmless(link.reason, lines=False)), "bad")
            self.failures += 1
            self.ended.set()

    def _status(self, text: str) -> None:
        if self._interactive:
            self.note(text)

    def _reloaded(self, _: State) -> None:
        self._status(self._words("reloaded"))

    def _send_failed(self, entry: Entry, error: Exception) -> None:
        self.failures += 1
        text = harmless(str(entry.content.get("text", "")), lines=False)
        self.note(self._words("send_failed", reason=harmless(str(error), lines=False), text=text), "bad")

    def note(self, text: str, style: str = "note") -> None:
        self._show([(style, text)])
