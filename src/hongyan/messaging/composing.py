"""Messages that name something that has to be looked up: a quoted message, a thread, people, messages of another conversation."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert, select, update

from hongyan.core import policy
from hongyan.core.content import ADMINS, ALL, Bundle, Content, Forward, Forwarded, Text, encode_content
from hongyan.core.errors import Invalid, NotFound
from hongyan.messaging import amendments
from hongyan.messaging.here import Here, here_of, readable, repeated
from hongyan.messaging.people import names
from hongyan.messaging.tables import followers, members, mentions, replies
from hongyan.store import Appended, Draft, Transaction


def compose(tx: Transaction, user: str, conversation: str, content: Content, client_id: str, now: int, most: int) -> Appended:
    """Inside a transaction of the conversation: the message, and the rows that go with it. A retry gets the first answer,
    whatever has changed since.

    Raises NotFound, Forbidden, Conflict, Invalid, TooLarge, ClientIdReused.
    """
    if (again := repeated(tx.connection, user, client_id, conversation)) is not None:
        return again
    here = here_of(tx.connection, conversation, user)
    policy.write(here.role, here.writers)
    stored: Content | Bundle = content
    if isinstance(content, Forward):
        stored = _bundle(tx.connection, user, content)
    elif isinstance(content, Text):
        if content.reply is not None:
            readable(tx.connection, here, content.reply)
        if content.thread is not None and readable(tx.connection, here, content.thread).type == "reply":
            raise Invalid("A message in a thread has no thread of its own")
        take_mentions(tx.connection, here, content.mentions)
    thread = content.thread if isinstance(content, Text) else None
    kind = "message" if thread is None else "reply"
    appended = tx.append(Draft(conversation, kind, user, now, encode_content(stored, most), client_id))
    if (
        isinstance(content, Text) and not appended.repeated
    ):  # a plain one under this id, without a transaction, may have been faster
        note_mentions(tx.connection, conversation, appended.seq, content.mentions)
        if thread is not None:
            _reply(tx.connection, here, user, thread, appended.seq, content.mentions)
    return appended


def take_mentions(connection: Connection, here: Here, who: Sequence[str]) -> None:
    """Whether these may be mentioned. Raises Forbidden, Invalid for somebody who is not in the conversation."""
    people = [one for one in who if one not in (ALL, ADMINS)]
    for one in who:
        policy.mention(here.role, one)
    if people:
        inside = select(members.c.user).where(members.c.conversation == here.id, members.c.user.in_(people))
        strangers = set(people) - set(connection.execute(inside).scalars())
        if strangers:
            raise Invalid(f"{min(strangers)} is not in this conversation and cannot be mentioned")


def note_mentions(connection: Connection, conversation: str, seq: int, who: Sequence[str]) -> None:
    if who:
        rows = [{"conversation": conversation, "who": one, "seq": seq} for one in dict.fromkeys(who)]
        connection.execute(insert(mentions).values(rows))


def _reply(connection: Connection, here: Here, user: str, root: int, place: int, mentioned: Sequence[str]) -> None:
    """One more in a thread: its author, who writes in it and who is mentioned follow it."""
    connection.execute(insert(replies).values(conversation=here.id, seq=root, place=place))
    amendments.amend(connection, here.id, root, place, one_more="replies", reply_seq=place)
    event = amendments.message(connection, here.id, root)
    wanted = {user, *(one for one in mentioned if one not in (ALL, ADMINS))}
    if event is not None and event.sender is not None:
        wanted.add(event.sender)
    mine = (followers.c.conversation == here.id, followers.c.seq == root)
    there = set(connection.execute(select(followers.c.user).where(*mine, followers.c.user.in_(wanted))).scalars())
    if fresh := sorted(wanted - there):
        rows = [{"user": one, "conversation": here.id, "seq": root, "read_seq": 0} for one in fresh]
        connection.execute(insert(followers).values(rows))
    connection.execute(update(followers).where(*mine, followers.c.user == user).values(read_seq=place))


class _Nested(msgspec.Struct):
    items: list["_Inner"] = []


class _Inner(msgspec.Struct):
    content: _Nested = msgspec.field(default_factory=_Nested)


_nested = msgspec.json.Decoder(_Nested).decode
_DEEPEST = 5
"""Bundles in bundles: whoever reads a message walks through all of them."""


def _depth(content: bytes) -> int:
    """How many bundles are in one another."""

    def depth(nested: _Nested) -> int:
        return 1 + max((depth(item.content) for item in nested.items), default=0) if nested.items else 0

    return depth(_nested(content))


def _bundle(connection: Connection, user: str, forward: Forward) -> Bundle:
    """What the messages say now. Who may not read one of them may not forward it."""
    source = here_of(connection, forward.conversation, user)
    events = [readable(connection, source, seq) for seq in sorted(set(forward.seqs))]
    states = amendments.states(connection, user, [(source.id, event.seq) for event in events])
    known = names(connection, sorted({event.sender for event in events if event.sender is not None}))
    items = []
    for event in events:
        state = states.get((source.id, event.seq))
        if state is not None and state.recalled is not None:
            raise NotFound("A message that is forwarded was taken back")
        content = event.content
        if state is not None and state.text is not None:
            now = {**msgspec.json.decode(content), "text": state.text}
            now.pop("oob", None)  # it was said of the text before
            content = msgspec.json.encode(now)
        if _depth(content) >= _DEEPEST:
            raise Invalid(f"Messages may be forwarded in one another {_DEEPEST} deep")
        items.append(Forwarded(event.sender, known.get(event.sender or "", ""), event.time, msgspec.Raw(content)))
    return Bundle(source.title if source.kind != "direct" else None, tuple(items), forward.text)
