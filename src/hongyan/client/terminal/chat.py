"""The conversation between a person at a terminal and the client: what each line does, and what is shown of each event."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar, get_args

from hongyan.client.backoff import Backoff
from hongyan.client.client import Client
from hongyan.client.deliver import Pending
from hongyan.client.errors import ClientError, is_temporary, wait_of
from hongyan.client.follow import Link
from hongyan.client.model import Conversation, Event, TransportName, User
from hongyan.client.outbox import Entry
from hongyan.client.state import State
from hongyan.client.terminal.commands import Command, Private, Say, Unknown, parse
from hongyan.client.terminal.emoji import page
from hongyan.client.terminal.hook import Hook
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import Line, clock_text, message_line, note_of, online_line, padded, title_of
from hongyan.client.terminal.verbs import Verbs
from hongyan.client.terminal.words import Words
from hongyan.core.cursor import parse_cursor
from hongyan.core.errors import HongyanError
from hongyan.core.model import user_lane

_HELP = (
    "say", "private", "colon", "open", "list", "history", "reply", "edit", "recall", "react", "search", "delay", "later",
    "requests", "allow", "refuse", "olu", "pu", "info", "transport", "emoji", "all", "q",
)  # fmt: skip
_ACTS = frozenset({"edit", "recall", "react"})
"""What is done to messages, of which one is told in the open conversation only."""
_TRANSPORTS: tuple[TransportName, ...] = get_args(TransportName)
TRANSPORTS = ("auto", *_TRANSPORTS)
_MOST_UNSENT = 1000
"""Lines of a pipe that may be on their way; then the pipe waits."""
_RELOADED = 10
"""Messages that are shown again when everything was loaded again."""
_T = TypeVar("_T")


class Chat:
    """`show` prints one line. `interactive` is a person who sees own messages come back; a pipe knows what it sent."""

    def __init__(
        self,
        client: Client,
        words: Words,
        show: Callable[[Line], None],
        *,
        hook: Hook | None,
        interactive: bool,
        columns: Callable[[], int] = lambda: 0,
    ) -> None:
        self._client = client
        self._words = words
        self._show = show
        self._hook = hook
        self._interactive = interactive
        self._columns = columns
        self._verbs = Verbs(client, words, show, self._fail)
        self.current: str | None = None
        self.ended = asyncio.Event()
        """The chat is over, now."""
        self.has_quit = False
        """:q was typed."""
        self.failures = 0
        self.logged_out = False
        """The server ended the token."""
        self._listed: list[str] = []
        self._unsent: deque[Pending] = deque()
        self._was_online = False
        self._lost = False
        """The connection is gone for so long that one should know."""
        self._ends = [
            client.on_event(self._event),
            client.on_state(self._link),
            client.on_reload(self._reloaded),
            client.on_send_failed(self._send_failed),
        ]

    def leave(self) -> None:
        """Show nothing more: somebody else does."""
        for end in self._ends:
            end()

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
                    self._fail("unknown_near" if nearest else "unknown", name=harmless(name, lines=False), nearest=nearest)
                case Command(name, argument):
                    await self._command(name, argument)
                case _:
                    pass
        except (HongyanError, ClientError) as error:
            self._fail("failed", reason=harmless(str(error), lines=False))

    async def _command(self, name: str, argument: str) -> None:
        match name:
            case "q":
                self.has_quit = True
                if self._interactive:
                    self.ended.set()
            case "all" | "help":
                self._help()
            case "olu":
                await self._online()
            case "open":
                await self._open(argument)
            case "list":
                self._list()
            case "history":
                await self._history(_number(argument, 20))
            case "info":
                await self._info()
            case "transport":
                self._transport(argument.lower())
            case "pu":
                await self._people(argument)
            case "file":
                self.note(self._words("no_files"))
            case "search" | "reply" | "edit" | "recall" | "react" | "delay" | "later" | "requests" | "allow" | "refuse":
                await self._verbs.run(name, argument, self.current)
            case "emoji":
                line, number, pages = page(_number(argument, 1))
                self.note(line, "text")
                self.note(self._words("page", page=number, pages=pages))

    def _help(self) -> None:
        self.note(self._words("help"))
        for part in _HELP:
            usage, _, meaning = self._words(f"help_{part}").partition("|")
            self._show([("own", "  " + padded(usage, 20)), ("text", meaning)])

    async def _say(self, text: str) -> None:
        if self.current is None:
            self.choose(None)
        if self.current is None:
            self._fail("no_conversation")
            return
        await self._post(self.current, text)

    async def _private(self, person: str, text: str) -> None:
        user = await self._insist(lambda: self._person(person))
        if user is None:
            return
        found = self._direct_with(user) or (await self._insist(lambda: self._client.create_direct(user))).id
        await self._post(found, text)
        if self._interactive and (view := self._client.state.conversation(found)) is not None and view.unread:
            await self._client.read(found, view.head_seq)  # who answers has read

    async def _post(self, conversation: str, text: str) -> None:
        pending = self._client.post(conversation, text)
        if not self._interactive:
            self._unsent.append(pending)
            if len(self._unsent) > _MOST_UNSENT:
                with contextlib.suppress(HongyanError, ClientError):
                    await self._unsent.popleft()
        elif self._client.link.connection != "online":
            self.note(self._words("kept", text=harmless(text, lines=False)))

    async def _insist(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Nobody stands by a pipe to type a line again: what may succeed later is tried again. A person is told at once."""
        backoff = Backoff()
        while True:
            try:
                return await call()
            except (HongyanError, ClientError) as error:
                if self._interactive or not is_temporary(error):
                    raise
                await asyncio.sleep(backoff.next(wait_of(error)))

    def _direct_with(self, user: str) -> str | None:
        """Known without asking, so that a private message can be written while there is no connection."""
        for one in self._client.state.conversations:
            if one.kind == "direct" and any(member.id == user for member in one.members or ()) and user != self._me:
                return one.id
        return None

    async def _person(self, name: str) -> str | None:
        """An id, or a display name that only one person has. Says so otherwise."""
        wanted = name.casefold()
        found = {user: User(user, shown) for user, shown in self._client.state.names.items()}
        if wanted in found:
            return wanted
        found |= {user.id: user for user in await self._client.users(name, 50)}
        if wanted in found:
            return wanted
        same = sorted((user for user in found.values() if user.name.casefold() == wanted), key=lambda user: user.id)
        if len(same) == 1:
            return same[0].id
        if not same and "@" in name:
            return wanted  # of another server, which the server asks
        shown = harmless(name, lines=False)
        if same:
            people = harmless("、".join(f"{user.id}（{user.name}）" for user in same), lines=False)
            self._fail("ambiguous", name=shown, people=people)
        else:
            self._fail("nobody", name=shown)
        return None

    async def _online(self) -> None:
        people = await self._client.online()
        if not people:
            self.note(self._words("nobody_online"))
        for person in people:
            self._show(online_line(person, self._words, own=person.id == self._me))

    async def _people(self, prefix: str) -> None:
        if not prefix:
            self.note(self._words("pu_usage"))
            return
        people = await self._client.users(prefix, 50)
        if not people:
            self.note(self._words("nobody", name=harmless(prefix, lines=False)))
        for person in people:
            self._show(
                [("name", padded(harmless(person.id, lines=False), 16)), ("text", " " + harmless(person.name, lines=False))]
            )

    async def _open(self, argument: str) -> None:
        if not argument:
            self.note(self._words("open_usage"))
            return
        found = self.find(argument)
        if found is None:
            people = await self._client.users(argument, 50)
            exact = [user for user in people if argument.casefold() in (user.id, user.name.casefold())]
            if len(exact) != 1 and "@" not in argument:
                self._fail("no_such_conversation", name=harmless(argument, lines=False))
                return
            found = await self._client.create_direct(exact[0].id if exact else argument.casefold())
        self.current = found.id
        self.note(self._words("opened", title=self._title(found)))
        await self._history(10)

    def _list(self) -> None:
        conversations = self._client.state.conversations
        self._listed = [one.id for one in conversations]
        for number, one in enumerate(conversations, 1):
            here = one.id == self.current
            line: Line = [("own" if here else "time", f"{'*' if here else ' '}{number:3} ")]
            line.append(("place", padded(self._title(one), 24 if one.unread else 0)))
            if one.unread:
                line.append(("name", " " + self._words("unread", count=one.unread)))
            self._show(line)
        if not conversations:
            self.note(self._words("no_conversation"))

    async def _history(self, count: int) -> None:
        if self.current is None:
            self.note(self._words("no_conversation"))
            return
        events = (await self._client.history(self.current, limit=min(max(count, 1), 500))).events
        if not await self._show_all(events, numbered=True):
            self.note(self._words("no_history"))
        if self._interactive and events:
            await self._client.read(self.current, events[-1].seq)

    async def welcome(self, count: int) -> None:
        """The last messages of the current conversation as far as they were handed over before: what is new comes as events."""
        name = self._client.me.name if self._client.me else ""
        self.note(self._words("welcome", name=harmless(name, lines=False)))
        await self._recent(count)
        if elsewhere := sum(one.unread > 0 and one.id != self.current for one in self._client.state.conversations):
            self.note(self._words("elsewhere", count=elsewhere))
        await self._verbs.who_asks()

    async def _recent(self, count: int) -> list[Event]:
        """Show, and give, the last messages of the current conversation that do not come as events."""
        if self.current is None:
            return []
        try:
            events = (await self._client.history(self.current, limit=count)).events
        except (HongyanError, ClientError):
            return []
        seen = parse_cursor(self._client.cursor).position if self._client.cursor else 0
        events = [event for event in events if event.type == "message" and event.position <= seen]
        await self._show_all(events)
        return events

    async def _show_all(self, events: list[Event], *, numbered: bool = False) -> bool:
        shown = False
        for event in events:
            await self._learn(event.sender)
            shown = await self._show_event(event, place=None, numbered=numbered) or shown
        return shown

    async def _info(self) -> None:
        client = self._client
        try:
            delay = f"{await client.ping() * 1000:.1f} ms"
        except (HongyanError, ClientError):
            delay = self._words("unmeasured")
        name = harmless(client.me.name if client.me else "", lines=False)
        values = {"user": self._me, "name": name, "server": client.server, "cursor": client.cursor or "", "delay": delay}
        link = {"transport": client.transport, "link": self._words(f"link_{client.link.connection}")}
        for line in self._words("info", **values, **link, outbox=client.outbox_size).split("\n"):
            label, _, value = line.partition(" ")
            self._show([("note", padded(label, 10)), ("text", value)])

    def _transport(self, name: str) -> None:
        if name not in TRANSPORTS:
            self._fail("transports")
            return
        self._was_online = False
        self._client.force_transport(next((one for one in _TRANSPORTS if one == name), None))

    # Conversations

    def choose(self, wanted: str | None) -> None:
        """The current conversation at the start: what was asked for, the lobby, or the first."""
        conversations = self._client.state.conversations
        if wanted is not None:
            found = self.find(wanted)
            if found is None:
                self._fail("no_such_conversation", name=harmless(wanted, lines=False))
        else:
            found = next((one for one in conversations if one.id == "lobby"), conversations[0] if conversations else None)
        self.current = found.id if found else None

    def find(self, wanted: str) -> Conversation | None:
        """By number in the list as it was last shown, id, title, or the beginning of a title when only one has it."""
        conversations = self._client.state.conversations
        listed = self._listed or [one.id for one in conversations]
        if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(listed):
            return self._client.state.conversation(listed[int(wanted) - 1])
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

    def trouble(self) -> str:
        """What the prompt says of the connection: nothing while all is well."""
        return self._words("offline") if self._lost else ""

    def titles(self) -> list[str]:
        return [self._title(one) for one in self._client.state.conversations]

    def _title(self, conversation: Conversation) -> str:
        return title_of(conversation, self._me, self._client.state)

    @property
    def _me(self) -> str:
        return self._client.me.id if self._client.me else ""

    # Events

    async def _event(self, event: Event) -> None:
        if event.type == "message" or event.type in _ACTS:
            await self._learn(event.sender)
        here = event.conversation in (self.current, user_lane(self._me))
        known = self._client.state.conversation(event.conversation)
        title = self._title(known) if known else event.conversation
        own = event.sender == self._me
        if self._interactive or not own:
            private = known is not None and known.kind == "direct"
            place = self._words("to_private" if own else "private", name=title) if private else title
            await self._show_event(event, place=None if here else place)
        if event.type == "message" and self._hook is not None:
            await self._hook.message(event, name=self._client.state.name(event.sender or ""), title=title, own=own)
        if here and not own and event.type == "message" and self._interactive:
            await self._client.read(event.conversation, event.seq)

    async def _learn(self, user: str | None) -> None:
        """The name of somebody who is in no list of members."""
        if user is not None and user not in self._client.state.names:
            with contextlib.suppress(HongyanError, ClientError):
                await self._client.user(user)

    async def _show_event(self, event: Event, *, place: str | None, numbered: bool = False) -> bool:
        """Gives whether there was something to show."""
        name = self._client.state.name(event.sender or "")
        if event.type in ("message", "reply"):
            own, columns = event.sender == self._me, self._columns()
            self._show(
                message_line(event, name=name, own=own, place=place, words=self._words, columns=columns, numbered=numbered)
            )
        elif event.type in _ACTS and place is not None:
            return False
        elif (note := note_of(event, self._client.state, self._words)) is not None:
            stamp = clock_text(event.time, event.time / 1000)
            self.note(f"{stamp} [{place}] {note}" if place else f"{stamp} {note}")
        else:
            return False
        return True

    def _link(self, link: Link) -> None:
        if link.connection == "online":
            if not self._was_online:
                several = len(self._client.servers) > 1
                self._status(self._words("online_at" if several else "online", transport=link.transport, server=link.server))
            self._was_online, self._lost = True, False
        elif link.connection == "waiting" and link.wait >= 1 and not self._lost:
            self._was_online, self._lost = False, True
            self._status(self._words("waiting", reason=harmless(link.reason, lines=False)))
        elif link.connection in ("login", "stopped"):
            self.logged_out = link.connection == "login"
            self._fail(link.connection, reason=harmless(link.reason, lines=False))
            self.ended.set()

    def _status(self, text: str) -> None:
        if self._interactive:
            self.note(text)

    async def _reloaded(self, _: State) -> None:
        """What was missed does not come as events. A pipe goes on with what is new."""
        self._status(self._words("reloaded"))
        if self._interactive and (events := await self._recent(_RELOADED)):
            await self._client.read(events[0].conversation, events[-1].seq)

    def _send_failed(self, entry: Entry, error: Exception) -> None:
        text = harmless(str(entry.content.get("text", "")), lines=False)
        self._fail("send_failed", reason=harmless(str(error), lines=False), text=text)

    def _fail(self, key: str, **values: object) -> None:
        self.failures += 1
        self.note(self._words(key, **values), "bad")

    def note(self, text: str, style: str = "note") -> None:
        self._show([(style, text)])


def _number(argument: str, otherwise: int) -> int:
    return int(argument) if argument.isascii() and argument.isdigit() and len(argument) < 10 else otherwise
