"""Acts on messages: each is one transaction of a conversation, which decides, stores the rows and appends the event."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, select

from hongyan import config
from hongyan.core import acts, policy
from hongyan.core.content import RECALLED, recalled
from hongyan.core.errors import Conflict, Invalid, NotFound, TooLarge
from hongyan.core.ids import check_client_id
from hongyan.core.model import Caller, Event
from hongyan.messaging import amendments
from hongyan.messaging.composing import note_mentions, take_mentions
from hongyan.messaging.here import Here, here_of, readable, repeated
from hongyan.messaging.log import Log
from hongyan.messaging.tables import amended, edits, mentions, recalls, responses
from hongyan.store import Appended, Draft, Store, Transaction, reading
from hongyan.store.redacting import redact


class _Recall(msgspec.Struct):
    seq: int
    edits: list[int] = []
    thread: int | None = None
    """Of a message in a thread."""


_decode_recall = msgspec.json.Decoder(_Recall).decode


class Acts:
    """`act` may raise NotFound, Forbidden, Conflict, Invalid, ClientIdReused."""

    def __init__(self, store: Store, log: Log, settings: config.Settings, *, clock: Callable[[], int]) -> None:
        self._store = store
        self._log = log
        self._settings = settings
        self._clock = clock
        log.fold(self._forget)

    async def act(self, caller: Caller, conversation: str, act: acts.Act, client_id: str | None = None) -> Appended:
        """The place of the event. What is so already (the same reaction again) is answered with where it became so."""
        self._log.require_fresh()
        if client_id is not None:
            check_client_id(client_id)
        act = acts.check(act)
        policy.embedded_act(caller.only, conversation, act)
        now = self._clock()

        def run(tx: Transaction) -> Appended:
            if client_id is not None and (again := repeated(tx.connection, caller.user, client_id, conversation)) is not None:
                return again
            here = here_of(tx.connection, conversation, caller.user)
            return _Deed(tx, here, caller.user, act.seq, now, client_id, self._settings).run(act)

        return await self._store.transaction(run, scope=conversation)

    async def recalled_content(self, caller: Caller, conversation: str, seq: int) -> bytes:
        """What one's own message said before it was taken back, as JSON, for some minutes. Raises NotFound."""
        since = self._clock() - int(self._settings.messages.rewrite_seconds * 1000)

        def read(connection: Connection) -> bytes | None:
            here_of(connection, conversation, caller.user)
            if amendments.message(connection, conversation, seq) is None:
                return None
            content: bytes | None = connection.execute(
                select(recalls.c.content).where(
                    recalls.c.conversation == conversation,
                    recalls.c.seq == seq,
                    recalls.c.user == caller.user,
                    recalls.c.time >= since,
                )
            ).scalar_one_or_none()
            return content

        content = await self._store.read(read)
        if content is None:
            raise NotFound("There is no message of yours here that was taken back a moment ago")
        return content

    async def sweep(self) -> None:
        """What was taken back longer ago than its author may still read goes for good."""
        since = self._clock() - int(self._settings.messages.rewrite_seconds * 1000)
        old = recalls.c.time < since
        if await self._store.read(lambda connection: connection.execute(select(recalls.c.seq).where(old).limit(1)).first()):

            def sweep(tx: Transaction) -> None:
                tx.connection.execute(delete(recalls).where(old))

            await self._store.transaction(sweep, scope="sweep")

    def _forget(self, event: Event) -> None:
        """A fold: what was taken back leaves this node's memory."""
        if event.type == "recall":
            told = _decode_recall(event.content)
            self._log.redact(event.lane, [told.seq], recalled(told.thread))
            self._log.redact(event.lane, told.edits, RECALLED)


class _Deed:
    """One act on one message, inside its transaction."""

    def __init__(
        self, tx: Transaction, here: Here, user: str, seq: int, now: int, client_id: str | None, settings: config.Settings
    ) -> None:
        event = readable(tx.connection, here, seq)
        self._tx = tx
        self._connection = tx.connection
        self._here = here
        self._user = user
        self._event = event
        self._said = amendments.said(tx.connection, event)
        self._age = (now - event.time) / 1000
        self._now = now
        self._client_id = client_id
        self._settings = settings.messages
        self._most_bytes = settings.limits.message_bytes

    def run(self, act: acts.Act) -> Appended:
        may = policy.alive if isinstance(act, acts.React | acts.Unreact | acts.Vote) else policy.write
        may(self._here.role, self._here.writers)
        match act:
            case acts.Edit():
                return self._edit(act)
            case acts.Recall():
                return self._recall(act)
            case acts.React():
                return self._react(act)
            case acts.Unreact():
                return self._unreact(act)
            case acts.Pin():
                return self._pin(act)
            case acts.Unpin():
                return self._unpin(act)
            case acts.Vote():
                return self._vote(act)
            case acts.Close():
                return self._close(act)

    def _edit(self, act: acts.Edit) -> Appended:
        policy.edit(self._said, self._user, self._age, self._settings.edit_seconds)
        take_mentions(self._connection, self._here, act.mentions)
        self._room_for_another_edit()
        appended = self._append(act)
        if appended.repeated:  # a plain message under this id, without a transaction, may have been faster
            return appended
        self._drop_mentions()
        self._amend(appended, one_more="edits", text=act.text, mentions=" ".join(act.mentions), edited=self._now)
        self._connection.execute(insert(edits).values(conversation=self._here.id, seq=act.seq, place=appended.seq))
        note_mentions(self._connection, self._here.id, act.seq, act.mentions)
        return appended

    def _recall(self, act: acts.Recall) -> Appended:
        most = self._settings.recall_seconds
        policy.recall(self._here.kind, self._here.role, self._said, self._user, self._age, most)
        places = list(
            self._connection.execute(
                select(edits.c.place).where(edits.c.conversation == self._here.id, edits.c.seq == act.seq)
            ).scalars()
        )
        self._keep_for_author()
        self._drop_mentions()
        self._connection.execute(delete(responses).where(*self._of(responses)))
        thread = msgspec.json.decode(self._event.content).get("thread")
        redact(self._connection, self._here.id, [act.seq], recalled(thread))
        redact(self._connection, self._here.id, places, RECALLED)
        appended = self._append(act, edits=places, thread=thread)
        nothing: dict[str, Any] = dict(text=None, mentions=None, edits=0, edited=None, pinned=None, pinned_by=None, closed=False)
        self._amend(appended, recalled=self._now, recalled_by=self._user, **nothing)
        return appended

    def _react(self, act: acts.React) -> Appended:
        policy.present(self._said)
        there = self._place("react", act.emoji)
        if there is not None:
            return there
        kinds = select(func.count(responses.c.value.distinct())).where(*self._of(responses), responses.c.kind == "react")
        others = kinds.where(responses.c.value != act.emoji)
        if self._connection.execute(others).scalar_one() >= self._settings.reactions:
            raise Conflict(f"A message may have {self._settings.reactions} different reactions")
        appended = self._append(act)
        self._amend(appended)
        self._choose("react", act.emoji, appended.seq)
        return appended

    def _unreact(self, act: acts.Unreact) -> Appended:
        policy.present(self._said)
        if self._place("react", act.emoji) is None:
            raise Conflict("You have not reacted so")
        chosen = (*self._of(responses), responses.c.kind == "react", responses.c.value == act.emoji)
        self._connection.execute(delete(responses).where(*chosen, responses.c.user == self._user))
        return self._amend(self._append(act))

    def _pin(self, act: acts.Pin) -> Appended:
        policy.present(self._said)
        if self._row("pinned") is not None:
            return self._at(self._row("at"))
        count = select(func.count()).where(amended.c.conversation == self._here.id, amended.c.pinned.is_not(None))
        if self._connection.execute(count).scalar_one() >= self._settings.pins:
            raise Conflict(f"A conversation may have {self._settings.pins} pinned messages; take one down first")
        return self._amend(self._append(act), pinned=self._now, pinned_by=self._user)

    def _unpin(self, act: acts.Unpin) -> Appended:
        if self._row("pinned") is None:
            raise Conflict("This message is not pinned")
        return self._amend(self._append(act), pinned=None, pinned_by=None)

    def _vote(self, act: acts.Vote) -> Appended:
        policy.vote(self._said)
        poll = msgspec.json.decode(self._event.content)
        if any(option >= len(poll["options"]) for option in act.options):
            raise Invalid("This poll has no such option")
        if len(act.options) > 1 and not poll.get("multiple"):
            raise Invalid("Choose one option of this poll")
        mine = (*self._of(responses), responses.c.kind == "vote", responses.c.user == self._user)
        before = sorted(int(value) for value in self._connection.execute(select(responses.c.value).where(*mine)).scalars())
        if before == sorted(act.options) and before:
            there = self._place("vote", str(before[0]))
            assert there is not None  # noqa: S101
            return there
        self._connection.execute(delete(responses).where(*mine))
        appended = self._append(act, was=before)
        self._amend(appended)
        for option in act.options:
            self._choose("vote", str(option), appended.seq)
        return appended

    def _close(self, act: acts.Close) -> Appended:
        policy.close(self._here.role, self._said, self._user)
        return self._amend(self._append(act), closed=True)

    # Rows

    def _append(self, act: acts.Act, **more: list[int] | int | None) -> Appended:
        """The event: the act as it was said, and what the server adds."""
        content = msgspec.to_builtins(act) | {name: value for name, value in more.items() if value}
        kind = content.pop("type")
        encoded = msgspec.json.encode(content)
        if isinstance(act, acts.Edit) and len(encoded) > self._most_bytes:
            raise TooLarge(f"A message may have {self._most_bytes} bytes; this one has {len(encoded)}")
        return self._tx.append(Draft(self._here.id, kind, self._user, self._now, encoded, self._client_id))

    def _amend(self, appended: Appended, *, one_more: str | None = None, **values: Any) -> Appended:
        amendments.amend(self._connection, self._here.id, self._event.seq, appended.seq, one_more=one_more, **values)
        return appended

    def _choose(self, kind: str, value: str, place: int) -> None:
        row = dict(conversation=self._here.id, seq=self._event.seq, kind=kind, value=value, user=self._user, place=place)
        self._connection.execute(insert(responses).values(row))

    def _of(self, table: Table) -> tuple[Any, Any]:
        return table.c.conversation == self._here.id, table.c.seq == self._event.seq

    def _row(self, column: str) -> Any:
        return self._connection.execute(select(amended.c[column]).where(*self._of(amended))).scalar_one_or_none()

    def _place(self, kind: str, value: str) -> Appended | None:
        """Where this user has chosen so."""
        chosen = (responses.c.kind == kind, responses.c.value == value, responses.c.user == self._user)
        seq = self._connection.execute(select(responses.c.place).where(*self._of(responses), *chosen)).scalar_one_or_none()
        return self._at(seq) if seq is not None else None

    def _at(self, seq: int) -> Appended:
        event = reading.at(self._connection, self._here.id, [seq])[0]
        return Appended(event.position, event.seq, event.time, repeated=True)

    def _room_for_another_edit(self) -> None:
        if (self._row("edits") or 0) >= self._settings.edits:
            raise Conflict(f"A message may be edited {self._settings.edits} times")

    def _drop_mentions(self) -> None:
        text = self._row("mentions")
        content = msgspec.json.decode(self._event.content)
        who = set((text or "").split()) | set(content.get("mentions", ()))
        if who:
            self._connection.execute(delete(mentions).where(*self._of(mentions), mentions.c.who.in_(who)))

    def _keep_for_author(self) -> None:
        """What it says now stays readable to its author for some minutes; older ones go at the same time."""
        old = self._now - int(self._settings.rewrite_seconds * 1000)
        self._connection.execute(delete(recalls).where(recalls.c.conversation == self._here.id, recalls.c.time < old))
        if self._event.sender is None:
            return
        content = msgspec.json.decode(self._event.content)
        if (text := self._row("text")) is not None:
            content |= {"text": text, "mentions": (self._row("mentions") or "").split()}
        row = dict(conversation=self._here.id, seq=self._event.seq, user=self._event.sender, time=self._now)
        self._connection.execute(insert(recalls).values(content=msgspec.json.encode(content), **row))
