"""What a person does in the full screen, by key, by the menu of a message, or by the palette."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import msgspec
from rich.text import Text
from textual.widgets import Static

from hongyan.client.model import Event
from hongyan.client.terminal.commands import Command, parse
from hongyan.client.terminal.full.dialogs import Ask, Choice, Choose, listed
from hongyan.client.terminal.full.look import summary
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.show import Line
from hongyan.client.terminal.verbs import Verbs
from hongyan.core import acts

if TYPE_CHECKING:
    from hongyan.client.terminal.full.app import FullScreen

_EMOJI = "👍 👌 🎉 😄 ❤️ 🙏 👀 ✅ ❌ 💯 🤔 😂"
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
        self.verbs = Verbs(app.client, app.words, self._say_line, self._fail_line)

    def commands(self) -> Sequence[tuple[str, Callable[[], object]]]:
        """For the palette: a name, and what it does."""
        app, going = self._app, self._app.going

        def later(work: Callable[[], Awaitable[None]]) -> Callable[[], object]:
            return lambda: app.run_worker(app.attempt(work()))

        on_message = [(name, later(partial(self.run, name))) for name in _ON_MESSAGE]
        return [
            ("jump", later(going.jump)),
            ("search", later(going.search)),
            ("group", later(going.group)),
            ("channels", later(going.channels)),
            ("poll", later(self.poll)),
            ("later", later(self.later)),
            ("waiting", later(going.waiting)),
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
            await self._app.attempt(self._private(person.strip(), rest.strip()))
            return
        if room is None:
            return
        doing, self.doing = self.doing, None
        app.composer.write("")
        app.tell_draft(room, "")
        self._tell()
        if doing is not None and doing.kind == "edit":
            await self._app.attempt(self._act(acts.Edit(doing.seq, text)))
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
                await self._app.going.search(argument)
            case "open":
                await self._app.going.jump()
            case "reply" | "edit" | "recall" | "react" | "delay" | "later" | "requests" | "allow" | "refuse":
                await self._app.attempt(
                    self.verbs.run(name, argument, self._app.room.conversation if self._app.room is not None else None)
                )
            case _:
                self._app.notify(self._words("tui_no_command", text=harmless(text, lines=False)[:40]), severity="warning")
                return
        self._app.composer.write("")

    def _say_line(self, line: Line) -> None:
        if text := "".join(part for _, part in line).strip():
            self._app.notify(text, timeout=8, markup=False)

    def _fail_line(self, key: str, **values: object) -> None:
        self._app.notify(self._words(key, **values), severity="warning", markup=False)

    async def later(self) -> None:
        """Send what is asked for later; the server keeps it."""
        room = self._app.room
        if room is None:
            return

        async def asked(text: str) -> None:
            await self._command(f":delay {text}")

        self._app.push_screen(Ask(self._words("tui_later")), self._app.then(asked))

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
        if len(exact) != 1 and not (not exact and "@" in person):
            key = "ambiguous" if exact else "nobody"
            people = "、".join(f"{user.name} ({user.id})" for user in exact)
            self._app.notify(self._words(key, name=harmless(person, lines=False), people=harmless(people, lines=False)))
            return
        conversation = await self._client.create_direct(exact[0].id if exact else person)  # of another server
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

        self._app.push_screen(Choose("", "", find), self._app.then(self.run))

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
                await self._app.attempt(self._act(acts.Recall(seq)))
            case "react":
                await self._react(seq)
            case "pin":
                pinned = room.state(seq).pinned is not None
                await self._app.attempt(self._act(acts.Unpin(seq) if pinned else acts.Pin(seq)))
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

        self._app.push_screen(Choose(self._words("tui_emoji"), "", find), self._app.then(chosen))

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
        self._app.push_screen(Choose(question, "", find), self._app.then(chosen))

    async def _forward(self, seq: int) -> None:
        source = self._app.room.conversation if self._app.room is not None else ""

        async def chosen(value: str) -> None:
            aim = await self._app.going.conversation_of(value)
            self._client.post_content(aim, {"type": "forward", "conversation": source, "seqs": [seq]})
            await self._app.open(aim)

        self._app.going.choose_place(chosen)

    async def poll(self) -> None:
        """A question and its options."""
        room = self._app.room
        if room is None:
            return

        async def asked(question: str) -> None:
            async def optioned(text: str) -> None:
                content = {"type": "poll", "question": question, "options": listed(text)}
                self._client.post_content(room.conversation, content)

            self._app.push_screen(Ask(self._words("tui_poll_options")), self._app.then(optioned))

        self._app.push_screen(Ask(self._words("tui_poll_question")), self._app.then(asked))
