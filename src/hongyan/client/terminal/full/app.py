"""The application: what is on the screen, which keys there are, and how it follows the client."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key, Resize
from textual.screen import Screen
from textual.widgets import OptionList, Static

from hongyan.client.client import Client
from hongyan.client.errors import ClientError
from hongyan.client.follow import Link
from hongyan.client.model import Event, Json, Member
from hongyan.client.outbox import Entry
from hongyan.client.state import State
from hongyan.client.terminal.full.bars import Below, Where
from hongyan.client.terminal.full.composer import Composer
from hongyan.client.terminal.full.deeds import Deeds
from hongyan.client.terminal.full.going import Going
from hongyan.client.terminal.full.room import Room
from hongyan.client.terminal.full.sidebar import Conversations, People
from hongyan.client.terminal.full.timeline import Timeline
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import note_of
from hongyan.client.terminal.words import Words
from hongyan.core.errors import HongyanError

_PAGE = 60
_NARROW, _TINY = 100, 60
_TELL_TYPING_SECONDS = 4.0


class FullScreen(App[int]):
    """`hongyan chat --tui`. Exits with 0, or 2 when the server has ended the log-in."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+k", "jump", priority=True),
        Binding("ctrl+f", "search", priority=True),
        Binding("ctrl+n", "next_unread", priority=True),
        Binding("alt+down", "step(1)", priority=True),
        Binding("alt+up", "step(-1)", priority=True),
        Binding("f2", "people", priority=True),
        Binding("f3", "deed('thread')", priority=True),
        Binding("f6", "list", priority=True),
        Binding("ctrl+r", "deed('reply')", priority=True),
        Binding("ctrl+e", "deed('edit')", priority=True),
        Binding("ctrl+t", "deed('react')", priority=True),
        Binding("ctrl+d", "deed('recall')", priority=True),
        Binding("ctrl+q", "quit", priority=True),
    ]

    def __init__(self, client: Client, words: Words, conversation: str | None = None) -> None:
        super().__init__()
        self.client = client
        self.words = words
        self.title = "鸿雁"
        self.presence: dict[str, str] = {}
        self.room: Room | None = None
        self._wanted = conversation
        self._told_typing = 0.0
        self._drafted: dict[tuple[str, int | None], str] = {}
        """What was written here, until the server tells of it."""
        self._stale = False
        self.going = Going(self)
        self.deeds = Deeds(self)
        self._ends = [
            listen(self._later(function))
            for listen, function in (
                (client.on_event, self._event),
                (client.on_signal, self._signal),
                (client.on_state, self._link),
                (client.on_reload, self._reloaded),
                (client.on_sent, self._sent),
                (client.on_send_failed, self._failed),
            )
        ]

    def _later(self, function: Callable[..., object]) -> Callable[..., None]:
        """Widgets may only be touched in the application's own turn; the order stays."""

        def called(*arguments: object) -> None:
            self.call_later(function, *arguments)

        return called

    # The screen

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="left"):
                yield Conversations(self.words)
            with Vertical(id="middle"):
                yield Where(self.words)
                yield Timeline(self.words, self.name_of, self._older)
                yield Static("", id="doing", markup=False)
                yield Composer(self.words("tui_write"))
                yield Below(self.words, self.name_of)
            with Vertical(id="right"):
                yield People()

    async def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.timeline = self.query_one(Timeline)
        self.composer = self.query_one(Composer)
        self._below()
        self.refill()
        self.set_interval(1.0, self._each_second)
        first = self._wanted or next((one.id for one in self.client.state.conversations), None)
        if first is not None:
            await self.open(first)
        self.composer.focus()
        self.run_worker(self._learn_presence())
        self.run_worker(self.deeds.verbs.who_asks())

    def on_unmount(self) -> None:
        for end in self._ends:
            end()

    def on_resize(self, event: Resize) -> None:
        self.screen.set_class(event.size.width < _NARROW, "narrow")
        self.screen.set_class(event.size.width < _TINY, "tiny")
        self.call_after_refresh(self.refill)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for name, run in self.deeds.commands():
            yield SystemCommand(self.words(f"tui_do_{name}"), self.words(f"tui_help_{name}"), run)

    def name_of(self, user: str) -> str:
        return self.client.state.name(user)

    @property
    def me(self) -> str:
        return self.client.me.id if self.client.me is not None else ""

    # Conversations

    async def open(self, conversation: str, root: int | None = None, around: int | None = None) -> None:
        """Show a conversation, or a thread of it; `around` a message instead of the end."""
        room = Room(conversation, self.me, root)
        try:
            await self._fill(room, around)
        except (HongyanError, ClientError) as error:
            self.complain(error)
            return
        # All at once: a key that is pressed now finds either the conversation before, with its text, or the new one with its own.
        self._keep_draft()
        self.deeds.leave()
        self.room = room
        self.composer.write(self.draft(conversation, root))
        view = self.client.state.conversation(conversation)
        self.timeline.unread_from = None
        if view is not None and view.unread and root is None:
            self.timeline.unread_from = next((seq for seq in room.messages if seq > view.read_seq), None)
        await self.timeline.show(room)
        if around is not None:
            self.timeline.choose(around)
        self.composer.focus()
        self.screen.remove_class("list-shown")
        self._where()
        self._show_people()
        self.refill()
        self._read()

    async def _fill(self, room: Room, around: int | None) -> None:
        if room.root is not None:
            root = await self.client.message(room.conversation, room.root)
            page = await self.client.thread(room.conversation, room.root)
            room.load([*root.events, *page.events], [*root.amended, *page.amended], more=False, older=True)
        elif around is not None:
            before = await self.client.history(room.conversation, before=around + 1, limit=_PAGE)
            after = await self.client.history(room.conversation, after=around, limit=_PAGE)
            room.load(before.events, before.amended, more=before.more, older=True)
            room.load(after.events, after.amended, more=before.more, older=False)
            room.newest = not after.more
        else:
            page = await self.client.history(room.conversation, limit=_PAGE)
            room.load(page.events, page.amended, more=page.more, older=True)

    async def _older(self) -> None:
        room = self.room
        if room is None or not room.more or room.root is not None or room.first is None:
            return
        try:
            page = await self.client.history(room.conversation, before=room.first, limit=_PAGE)
        except (HongyanError, ClientError) as error:
            self.complain(error)
            return
        fresh = room.load(page.events, page.amended, more=page.more, older=True)
        if self.room is room:
            await self.timeline.prepend(fresh)

    def refill(self) -> None:
        """The list of conversations, as it is now."""
        current = self.room.conversation if self.room is not None else None
        self.query_one(Conversations).fill(self.client.state, self.me, current)

    def _where(self) -> None:
        self.query_one(Where).show(self.client, self.room, self.me)

    def _show_people(self) -> None:
        view = self.client.state.conversation(self.room.conversation) if self.room is not None else None
        members: list[Member] = list(view.members or ()) if view is not None else []
        self.query_one(People).fill(members, self.presence)

    def draft(self, conversation: str, root: int | None) -> str:
        """What stands in the composer of a conversation, or of a thread, on all of one's devices."""
        if (said := self._drafted.get((conversation, root))) is not None:
            return said
        view = self.client.state.conversation(conversation)
        drafts = view.own.drafts if view is not None else ()
        return next((draft.text for draft in drafts if draft.thread == root), "")

    def tell_draft(self, room: Room, text: str) -> None:
        """This is what stands there now; here at once, elsewhere when the server has it."""
        if text != self.draft(room.conversation, room.root):
            self._drafted[room.conversation, room.root] = text
            self.run_worker(self.attempt(self.client.draft(room.conversation, text or None, thread=room.root)))

    def _keep_draft(self) -> None:
        room = self.room
        if room is None or self.deeds.doing is not None:
            return
        self.tell_draft(room, self.composer.text if self.composer.text.strip() else "")

    def _read(self) -> None:
        """What is shown at the end is read."""
        room = self.room
        if room is None or room.root is not None or not room.newest or not self.timeline.at_end or not self.app_focus:
            return
        view = self.client.state.conversation(room.conversation)
        if view is not None and view.unread and room.last is not None:
            self.run_worker(self.client.read(room.conversation, max(view.head_seq, room.last)))

    # What the client tells

    async def _event(self, event: Event) -> None:
        self._stale = True
        if event.type == "draft":
            self._drafted.pop((event.content["conversation"], event.content.get("thread")), None)
        if event.type == "watcher" and (note := note_of(event, self.client.state, self.words)) is not None:
            self.notify(note, timeout=8, markup=False)
        if event.sender is not None:
            self.query_one(Below).has_written(event.sender)
        room = self.room
        if room is None:
            return
        if (seq := room.apply(event)) is not None:
            await self.timeline.changed(seq)
            self._read()
        elif event.conversation == room.conversation and event.type in ("member", "settings"):
            if self.client.state.conversation(room.conversation) is None:
                self.notify(self.words("tui_left"))
                self.room = None
                await self.timeline.show(None)
            self._where()
            self._show_people()
        elif event.type == "profile":
            self.timeline.redraw()

    def _signal(self, body: Json) -> None:
        user = str(body.get("user", ""))
        if body.get("type") == "presence":
            self.presence[user] = str(body.get("status", "offline"))
            self._show_people()
        elif body.get("type") == "typing" and user != self.me and self._is_here(body.get("conversation")):
            self.query_one(Below).typing(body)
            self._below()

    def _is_here(self, conversation: object) -> bool:
        return self.room is not None and self.room.conversation == conversation

    def _link(self, link: Link) -> None:
        if link.connection == "login":
            self.exit(2)
        self._below()

    async def _reloaded(self, state: State) -> None:
        self._stale = True
        if self.room is not None:
            await self.open(self.room.conversation, self.room.root)

    def _sent(self, entry: Entry, _: object) -> None:
        self._below()

    def _failed(self, entry: Entry, error: Exception) -> None:
        text = entry.content.get("text")
        self.complain(error)
        if isinstance(text, str) and self.room is not None and not self.composer.text:
            self.composer.write(text)

    def _each_second(self) -> None:
        if self._stale:
            self._stale = False
            self.refill()
        self._below()

    def _below(self) -> None:
        self.query_one(Below).show(self.client)

    async def _learn_presence(self) -> None:
        try:
            self.presence = {one.id: one.status for one in await self.client.online()} | self.presence
        except (HongyanError, ClientError):
            return
        self._show_people()

    # What the person does

    async def on_composer_sent(self, event: Composer.Sent) -> None:
        await self.deeds.send(event.text)

    async def on_composer_edit_last(self) -> None:
        self.deeds.edit_last()

    async def on_composer_left(self) -> None:
        if self.deeds.doing is not None:
            self.deeds.leave()
            self.composer.write("")
        elif self.room is not None and self.room.root is not None:
            await self.open(self.room.conversation, around=self.room.root)
        else:
            self.timeline.action_newest()
            self._read()

    async def on_composer_typed(self) -> None:
        if self.room is not None and time.monotonic() - self._told_typing > _TELL_TYPING_SECONDS:
            self._told_typing = time.monotonic()
            conversation = self.room.conversation

            async def tell() -> None:
                with contextlib.suppress(HongyanError, ClientError):
                    await self.client.typing(conversation)

            self.run_worker(tell())

    def on_key(self, event: Key) -> None:
        """What is typed in the list of messages is meant for the line to write in; Esc goes back there."""
        if self.screen.is_modal or (event.key == "escape" and self.focused is self.composer):
            return  # what is typed into the line itself does not come here, not even when the line has just got the focus
        if event.key == "escape" or (event.is_printable and event.character):
            self.composer.focus()
            if event.key != "escape" and event.character:
                self.composer.insert(event.character)
            event.stop()

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if isinstance(event.option_list, Conversations) and event.option_id is not None:
            await self.open(event.option_id)
        elif isinstance(event.option_list, People) and event.option_id not in (None, self.me):
            await self.going.talk_to(str(event.option_id))

    async def on_timeline_chosen(self, event: Timeline.Chosen) -> None:
        self.timeline.choose(event.seq)
        if event.again:
            await self.deeds.menu()

    async def action_step(self, step: int) -> None:
        ids = [one.id for one in self.client.state.conversations]
        if ids:
            at = ids.index(self.room.conversation) if self.room is not None and self.room.conversation in ids else -1
            await self.open(ids[(at + step) % len(ids)])

    async def action_next_unread(self) -> None:
        unread = [one.id for one in self.client.state.conversations if one.unread]
        if unread:
            await self.open(unread[0])

    def action_people(self) -> None:
        self.screen.toggle_class("people-shown")

    def action_list(self) -> None:
        self.screen.toggle_class("list-shown")
        self.query_one(Conversations).focus()

    async def action_jump(self) -> None:
        await self.going.jump()

    async def action_search(self) -> None:
        await self.going.search()

    async def action_deed(self, name: str) -> None:
        await self.deeds.run(name)

    def then(self, work: Callable[[str], Awaitable[None]]) -> Callable[[str | None], None]:
        """What a dialog gave is worked on; None is a person who left it."""

        def answered(value: str | None) -> None:
            if value is not None:
                self.run_worker(self.attempt(work(value)))
            self.composer.focus()

        return answered

    async def attempt(self, work: Awaitable[object]) -> None:
        """Work of a person: why it failed is said."""
        try:
            await work
        except (HongyanError, ClientError) as error:
            self.complain(error)

    def complain(self, error: Exception) -> None:
        self.notify(harmless(str(error), lines=False), severity="error")


async def run(client: Client, words: Words, conversation: str | None) -> int:
    """Show it until the person leaves; the exit code."""
    code = await FullScreen(client, words, conversation).run_async()
    return code or 0
