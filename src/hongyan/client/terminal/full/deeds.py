"""What a person does in the full screen, by key, by the menu of a message, or by the palette."""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import msgspec
from rich.text import Text
from textual.widgets import Static

from hongyan.client.errors import ClientError
from hongyan.client.model import Event
from hongyan.client.terminal.commands import Command, parse
from hongyan.client.terminal.full.dialogs import Ask, Choice, Choose
from hongyan.client.terminal.full.look import summary
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import Line, clock_text, title_of
from hongyan.client.terminal.verbs import Verbs
from hongyan.core import acts
from hongyan.core.errors import HongyanError

if TYPE_CHECKING:
    from hongyan.client.terminal.full.app import FullScreen

_EMOJI = "👍 👌 🎉 😄 ❤️ 🙏 👀 ✅ ❌ 💯 🤔 😂"
_PEOPLE = 20
_ON_MESSAGE = ("reply", "edit", "recall", "react", "pin", "thread", "forward", "vote", "copy")


class Doing(msgspec.Struct, frozen=True):
    """The next text that is sent is a reply to this message, or its new text."""

    kind: Literal["reply", "edit"]
    seq: int


class Deeds:
    def __init__(self, app: "FullScreen") -> None:
        self._app = app
        self._words = app.words
        self._client = app.client
        self.doing: Doing | None = None

    def commands(self) -> Sequence[tuple[str, Callable[[], object]]]:
        """For the palette: a name, and what it does."""
        app = self._app

        def later(work: Callable[[], Awaitable[None]]) -> Callable[[], object]:
            return lambda: app.run_worker(self._try(work()))

        on_message = [(name, later(partial(self.run, name))) for name in _ON_MESSAGE]
        return [
            ("jump", later(self.jump)),
            ("search", later(self.search)),
            ("group", later(self.group)),
            ("channels", later(self.channels)),
            ("poll", later(self.poll)),
            ("later", later(self.later)),
            ("waiting", later(self.waiting)),
            *on_message,
            ("people", app.action_people),
            ("quit", lambda: app.exit(0)),
        ]

    # Writing

    async def send(self, text: str) -> None:
        """What was typed. `name;;text` goes to one person, `:q` leaves, as in the line mode."""
        app, room = self._app, self._app.room
        if text.startswith(":"):
            if text.startswith("::"):
                text = text[1:]
            else:
                await self._command(text)
                return
        person, mark, rest = text.partition(";;")
        if mark and person.strip() and rest.strip() and "\n" not in person and len(person) <= 64:
            app.composer.write("")
            await self._try(self._private(person.strip(), rest.strip()))
            return
        if room is None:
            return
        doing, self.doing = self.doing, None
        app.composer.write("")
        app.drafts.pop(room.conversation, None)
        self._tell()
        if doing is not None and doing.kind == "edit":
            await self._try(self._act(acts.Edit(doing.seq, text)))
            return
        content: dict[str, object] = {"type": "text", "text": text}
        if mentioned := self._mentioned(text):
            content["mentions"] = mentioned
        if doing is not None:
            content["reply"] = doing.seq
        if room.root is not None:
            content["thread"] = room.root
        self._client.post_content(room.conversation, content)
        app.timeline.action_newest()

    async def _command(self, text: str) -> None:
        """As by line, as far as it makes sense here; what is no command stays in the composer, and is not sent to anybody."""
        said = parse(text)
        name, argument = (said.name, said.argument) if isinstance(said, Command) else ("", "")
        match name:
            case "q":
                self._app.exit(0)
                return
            case "search":
                await self.search(argument)
            case "open":
                await self.jump()
            case "reply" | "edit" | "recall" | "react" | "delay" | "later":
                verbs = Verbs(self._client, self._words, self._say_line, self._fail_line)
                await self._try(verbs.run(name, argument, self._app.room.conversation if self._app.room is not None else None))
            case _:
                self._app.notify(self._words("tui_no_command", text=harmless(text, lines=False)[:40]), severity="warning")
                return
        self._app.composer.write("")

    def _say_line(self, line: Line) -> None:
        if text := "".join(part for _, part in line).strip():
            self._app.notify(text, timeout=8)

    def _fail_line(self, key: str, **values: object) -> None:
        self._app.notify(self._words(key, **values), severity="warning")

    async def later(self) -> None:
        """Send what is asked for later; the server keeps it."""
        room = self._app.room
        if room is None:
            return

        async def asked(text: str) -> None:
            await self._command(f":delay {text}")

        self._app.push_screen(Ask(self._words("tui_later")), self._then(asked))

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

        self._app.push_screen(Choose(self._words("tui_waiting"), self._words("no_timers"), find), self._then(chosen))

    def _mentioned(self, text: str) -> list[str]:
        """Members whom `@name` or `@id` in the text means; `@all` and `@所有人` are everybody."""
        room = self._app.room
        view = self._client.state.conversation(room.conversation) if room is not None else None
        if view is None or "@" not in text:
            return []
        found = [one.id for one in view.members or () if f"@{one.name}" in text or f"@{one.id}" in text]
        if "@all" in text or "@所有人" in text:
            found.append("@all")
        return found

    async def _private(self, person: str, text: str) -> None:
        users = await self._client.users(person, 2)
        exact = [user for user in users if person in (user.id, user.name)] or users
        if len(exact) != 1:
            key = "ambiguous" if exact else "nobody"
            people = "、".join(f"{user.name} ({user.id})" for user in exact)
            self._app.notify(self._words(key, name=harmless(person, lines=False), people=harmless(people, lines=False)))
            return
        conversation = await self._client.create_direct(exact[0].id)
        self._client.post(conversation.id, text)
        await self._app.open(conversation.id)

    def edit_last(self) -> None:
        """The newest text of one's own."""
        room = self._app.room
        if room is not None:
            mine = [seq for seq, event in room.messages.items() if event.sender == room.me and room.text(seq)]
            if mine:
                self._begin("edit", mine[-1])

    def leave(self) -> None:
        self.doing = None
        self._tell()

    def _begin(self, kind: Literal["reply", "edit"], seq: int) -> None:
        room = self._app.room
        if room is None:
            return
        self.doing = Doing(kind, seq)
        if kind == "edit":
            self._app.composer.write(room.text(seq))
        self._tell()
        self._app.composer.focus()

    def _tell(self) -> None:
        """The line above the composer."""
        room, doing = self._app.room, self.doing
        line = self._app.query_one("#doing", Static)
        line.set_class(doing is not None, "shown")
        if doing is not None and room is not None and doing.seq in room.messages:
            event = room.messages[doing.seq]
            said = room.text(doing.seq) or summary(event, self._words)
            name = harmless(self._app.name_of(event.sender or ""), lines=False)
            line.update(self._words(f"tui_doing_{doing.kind}", name=name, text=harmless(said, lines=False)[:60]))

    # On one message

    async def menu(self) -> None:
        """What can be done to the chosen message."""
        found = [Choice(Text(self._words(f"tui_do_{name}")), name) for name in _ON_MESSAGE]

        async def find(text: str) -> Sequence[Choice]:
            return [one for one in found if text.lower() in one.text.plain.lower()]

        self._app.push_screen(Choose("", "", find), self._then(self.run))

    async def run(self, name: str) -> None:
        """One of `_ON_MESSAGE`, to the chosen message or the newest."""
        room = self._app.room
        seq = self._app.timeline.chosen if self._app.timeline.chosen is not None else room.last if room is not None else None
        if room is None or seq is None or seq not in room.messages:
            return
        event = room.messages[seq]
        match name:
            case "reply":
                self._begin("reply", seq)
            case "edit":
                if event.sender == room.me and room.text(seq):
                    self._begin("edit", seq)
                else:
                    self._app.notify(self._words("tui_not_yours"))
            case "recall":
                await self._try(self._act(acts.Recall(seq)))
            case "react":
                await self._react(seq)
            case "pin":
                pinned = room.state(seq).pinned is not None
                await self._try(self._act(acts.Unpin(seq) if pinned else acts.Pin(seq)))
            case "thread":
                if room.root is None:
                    await self._app.open(room.conversation, root=seq)
                    self._app.composer.focus()
            case "forward":
                await self._forward(seq)
            case "vote":
                await self._vote(event)
            case "copy":
                self._app.copy_to_clipboard(room.text(seq))

    async def _act(self, act: acts.Act) -> None:
        if self._app.room is not None:
            await self._client.act(self._app.room.conversation, act)

    async def _react(self, seq: int) -> None:
        """Choose an emoji; one that one has given already is taken back."""
        room = self._app.room
        mine = {emoji for emoji, tally in room.state(seq).reactions.items() if tally.mine} if room is not None else set()

        async def find(text: str) -> Sequence[Choice]:
            shown = [text] if text else [*mine, *(emoji for emoji in _EMOJI.split() if emoji not in mine)]
            return [Choice(Text(f"{emoji} {'✓' if emoji in mine else ''}"), emoji) for emoji in shown]

        async def chosen(emoji: str) -> None:
            await self._act(acts.Unreact(seq, emoji) if emoji in mine else acts.React(seq, emoji))

        self._app.push_screen(Choose(self._words("tui_emoji"), "", find), self._then(chosen))

    async def _vote(self, event: Event) -> None:
        options = event.content.get("options")
        if not isinstance(options, list):
            self._app.notify(self._words("tui_no_poll"))
            return

        async def find(text: str) -> Sequence[Choice]:
            texts = [harmless(str(option), lines=False) for option in options]
            return [Choice(Text(f"{n + 1}. {one}"), str(n)) for n, one in enumerate(texts) if text in one]

        async def chosen(number: str) -> None:
            await self._act(acts.Vote(event.seq, (int(number),)))

        question = harmless(str(event.content.get("question", "")), lines=False)
        self._app.push_screen(Choose(question, "", find), self._then(chosen))

    async def _forward(self, seq: int) -> None:
        source = self._app.room.conversation if self._app.room is not None else ""

        async def chosen(value: str) -> None:
            aim = await self._conversation_of(value)
            self._client.post_content(aim, {"type": "forward", "conversation": source, "seqs": [seq]})
            await self._app.open(aim)

        self._choose_place(chosen)

    # Going somewhere

    async def jump(self) -> None:
        """Any conversation or person by a part of its name."""

        async def chosen(value: str) -> None:
            await self._app.open(await self._conversation_of(value))

        self._choose_place(chosen)

    async def talk_to(self, user: str) -> None:
        await self._try(self._open_direct(user))

    async def _open_direct(self, user: str) -> None:
        await self._app.open(await self._conversation_of(f"user:{user}"))

    async def _conversation_of(self, value: str) -> str:
        kind, _, id = value.partition(":")
        return (await self._client.create_direct(id)).id if kind == "user" else id

    def _choose_place(self, chosen: Callable[[str], Awaitable[None]]) -> None:
        state, me = self._client.state, self._app.me

        async def find(text: str) -> Sequence[Choice]:
            wanted = text.casefold()
            found = [
                Choice(Text(title_of(one, me, state), style="bold" if one.unread else ""), f"room:{one.id}")
                for one in state.conversations
                if wanted in title_of(one, me, state).casefold() or wanted == one.id
            ]
            if text:
                try:
                    people = await self._client.users(text, _PEOPLE)
                except (HongyanError, ClientError):
                    people = []
                found += [
                    Choice(Text(f"{harmless(user.name, lines=False)}  {user.id}", style="cyan"), f"user:{user.id}")
                    for user in people
                    if user.id != me
                ]
            return found

        self._app.push_screen(Choose(self._words("tui_jump"), self._words("tui_nothing"), find), self._then(chosen))

    async def search(self, question: str = "") -> None:
        """Messages, in the words of the search."""
        state, me = self._client.state, self._app.me

        async def find(text: str) -> Sequence[Choice]:
            if not text:
                return []
            try:
                answer = await self._client.search(text, limit=30)
            except (HongyanError, ClientError) as error:
                return [Choice(Text(harmless(str(error), lines=False), style="red"), "")]
            found = []
            for hit in answer.hits:
                view = state.conversation(hit.event.conversation)
                title = title_of(view, me, state) if view is not None else ""
                when = clock_text(hit.event.time, time.time())
                line = Text(f"{when}  {title}  {self._app.name_of(hit.event.sender or '')}\n", style="dim")
                line.append(harmless(hit.snippet.text.replace("\n", " "), lines=False), style="")
                found.append(Choice(line, f"{hit.event.conversation}\n{hit.event.seq}"))
            return found

        async def chosen(value: str) -> None:
            conversation, _, seq = value.partition("\n")
            if seq:
                await self._app.open(conversation, around=int(seq))

        dialog = Choose(self._words("tui_search"), self._words("tui_nothing"), find, question)
        self._app.push_screen(dialog, self._then(chosen))

    async def channels(self) -> None:
        """Find a channel and join it."""

        async def find(text: str) -> Sequence[Choice]:
            try:
                page = await self._client.channels(text)
            except (HongyanError, ClientError):
                return []
            return [
                Choice(Text(f"# {harmless(one.title, lines=False)}  {one.member_count}{' ✓' if one.joined else ''}"), one.id)
                for one in page.channels
            ]

        async def chosen(channel: str) -> None:
            await self._app.open((await self._client.join(channel)).id)

        self._app.push_screen(Choose(self._words("tui_channels"), self._words("tui_nothing"), find), self._then(chosen))

    async def group(self) -> None:
        """A new group: its title, then its people."""

        async def titled(title: str) -> None:
            async def named(people: str) -> None:
                await self._app.open((await self._client.create_group(title, _listed(people))).id)

            self._app.push_screen(Ask(self._words("tui_group_people")), self._then(named))

        self._app.push_screen(Ask(self._words("tui_group_title")), self._then(titled))

    async def poll(self) -> None:
        """A question and its options."""
        room = self._app.room
        if room is None:
            return

        async def asked(question: str) -> None:
            async def optioned(text: str) -> None:
                content = {"type": "poll", "question": question, "options": _listed(text)}
                self._client.post_content(room.conversation, content)

            self._app.push_screen(Ask(self._words("tui_poll_options")), self._then(optioned))

        self._app.push_screen(Ask(self._words("tui_poll_question")), self._then(asked))

    # How

    def _then(self, work: Callable[[str], Awaitable[None]]) -> Callable[[str | None], None]:
        """What a dialog gave is worked on; None is a person who left it."""

        def answered(value: str | None) -> None:
            if value is not None:
                self._app.run_worker(self._try(work(value)))
            self._app.composer.focus()

        return answered

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (HongyanError, ClientError) as error:
            self._app.complain(error)


def _listed(text: str) -> list[str]:
    """Parts with commas of either script between them."""
    return [part for part in (one.strip() for one in re.split("[,，、]", text)) if part]
