"""What a client knows: conversations, members, unread counts and read marks as a fold over the events. No I/O.

Rule 10 of the design holds here: the snapshot of t0 and the events from t0 to t1 give the snapshot of t1. Where the events
cannot tell (who was added knows nothing of what was before; a mark that stops among messages whose places are unknown),
the conversation is named in `to_load`, and `apply_conversation` puts in what `GET /v1/conversations/{id}` answered.
"""

from typing import Any

import msgspec

from hongyan.client.model import Conversation, Event, Json, Me, Member, Snapshot
from hongyan.client.room import Room
from hongyan.core.cursor import parse_cursor
from hongyan.core.own import StatusText
from hongyan.core.preferences import Preferences

MEMBERS_LISTED = 100
"""Beyond this many a conversation carries no list of members."""


class State:
    """The fold. `apply_*` changes it; everything else only reads."""

    def __init__(self) -> None:
        self.user: Me | None = None
        self.preferences = Preferences()
        self.status_text: StatusText | None = None
        """What the user says of themselves; it may be over."""
        self.position = 0
        """The last position that was applied."""
        self._base = 0
        self._rooms: dict[str, Room] = {}
        self._wanted: set[str] = set()
        self._names: dict[str, str] = {}

    # What is known

    @property
    def conversations(self) -> list[Conversation]:
        """In the order of their last message, newest first."""
        views = [room.view() for room in self._rooms.values()]
        return sorted(views, key=lambda view: (-(view.last.time if view.last else 0), view.id))

    def conversation(self, conversation: str) -> Conversation | None:
        room = self._rooms.get(conversation)
        return room.view() if room else None

    @property
    def to_load(self) -> list[str]:
        """Conversations that must be asked for with `GET /v1/conversations/{id}`."""
        return sorted(self._wanted)

    @property
    def unread(self) -> int:
        """Unread messages in all conversations."""
        return sum(room.unread.count for room in self._rooms.values())

    def name(self, user: str) -> str:
        """A display name, or the id of somebody never seen."""
        return self._names.get(user, user)

    @property
    def names(self) -> dict[str, str]:
        """Display names of everybody seen so far, by id."""
        return dict(self._names)

    def learn_name(self, user: str, name: str) -> None:
        """Remember the name of somebody who is in no loaded list."""
        self._names[user] = name

    # What changes it

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Forget everything and begin here."""
        self.user = snapshot.user
        self.preferences = snapshot.preferences
        self.status_text = snapshot.status_text
        self.position = self._base = parse_cursor(snapshot.cursor).position
        self._wanted.clear()
        self._names = {snapshot.user.id: snapshot.user.name}
        self._rooms = {}
        for conversation in snapshot.conversations:
            self._put(conversation, self._base)

    def apply_conversation(self, conversation: Conversation) -> None:
        """Put in what the server answered. An answer from before what was already applied (a node that lags) is not taken."""
        position = parse_cursor(conversation.cursor).position if conversation.cursor else self.position
        if position >= self.position:
            self._wanted.discard(conversation.id)
            self._put(conversation, position)

    def forget_conversation(self, conversation: str) -> None:
        """The server does not know it (any more)."""
        self._wanted.discard(conversation)
        self._rooms.pop(conversation, None)

    def apply_event(self, event: Event) -> None:
        """Apply the next event. Events that are already in what was loaded, and unknown types, change nothing."""
        position = event.position
        self.position = max(self.position, position)
        if event.conversation.startswith("user:"):
            self._of_oneself(event, position)
        elif event.conversation == "directory":
            if event.type == "profile" and position > self._base:
                self._profile(event.content, position)
        else:
            self._in_conversation(event, position)

    # How

    def _put(self, conversation: Conversation, position: int) -> None:
        self._rooms[conversation.id] = Room(conversation, position)
        for member in conversation.members or ():
            self._names[member.id] = member.name

    def _of_oneself(self, event: Event, position: int) -> None:
        content = event.content
        if event.type == "preferences" and position > self._base:
            self.preferences = msgspec.convert(content["preferences"], Preferences)
        elif event.type == "status" and position > self._base:
            said = msgspec.convert(content, StatusText)
            self.status_text = said if said != StatusText() else None
        elif isinstance(conversation := content.get("conversation"), str):
            room = self._rooms.get(conversation)
            if room is not None and position > room.position and not room.done(event):
                self._wanted.add(conversation)

    def _profile(self, content: Json, position: int) -> None:
        user, name = content.get("id"), content.get("name")
        if not isinstance(user, str) or not isinstance(name, str):
            return
        self._names[user] = name
        if self.user is not None and self.user.id == user:
            self.user = msgspec.structs.replace(self.user, name=name)
        for room in self._rooms.values():
            if position > room.position:
                room.renamed(Member(user, name))

    def _in_conversation(self, event: Event, position: int) -> None:
        me = self.user.id if self.user else ""
        room = self._rooms.get(event.conversation)
        if room is None:
            self._in_unknown(event, position, me)
            return
        if position <= room.position:
            return
        room.head_seq = max(room.head_seq, event.seq)
        if event.type in ("message", "reply"):
            room.said(event, me)
        if not room.acted(event, me):
            self._wanted.add(event.conversation)
        if event.type == "member":
            self._member(room, event, position, me)
        elif event.type == "settings":
            room.set(event.content)

    def _in_unknown(self, event: Event, position: int, me: str) -> None:
        if event.conversation in self._wanted:
            if event.type == "member" and _takes_away(event.content, me):
                self.forget_conversation(event.conversation)
        elif position > self._base:
            if event.type == "create":
                self._create(event, position)
            elif event.type == "member" and _adds(event.content, me):
                self._wanted.add(event.conversation)

    def _create(self, event: Event, position: int) -> None:
        members = _people(event.content.get("members"))
        me = self.user.id if self.user else ""
        role = next((member.role for member in members if member.id == me), None)
        if role is None:
            return
        conversation = Conversation(
            id=event.conversation,
            kind=str(event.content.get("kind", "group")),
            title=event.content.get("title"),
            topic=event.content.get("topic"),
            writers=str(event.content.get("writers", "all")),
            history=str(event.content.get("history", "joined")),
            role=role,
            first_seq=event.seq,
            head_seq=event.seq,
            member_count=len(members),
            members=members if len(members) <= MEMBERS_LISTED else None,
        )
        self._put(conversation, position)
        for member in members:
            self._names[member.id] = member.name

    def _member(self, room: Room, event: Event, position: int, me: str) -> None:
        people = _people(event.content.get("users"))
        for person in people:
            self._names[person.id] = person.name
        match event.content.get("action"):
            case "add":
                room.member_count += len(people)
                if room.members is not None:
                    room.members.update({person.id: person for person in people})
                    room.member_count = len(room.members)
                    if room.member_count > MEMBERS_LISTED:
                        room.members = None
            case "remove" | "leave":
                if any(person.id == me for person in people):
                    self.forget_conversation(event.conversation)
                    return
                room.member_count -= len(people)
                if room.members is not None:
                    for person in people:
                        room.members.pop(person.id, None)
                    room.member_count = len(room.members)
                elif room.member_count <= MEMBERS_LISTED:
                    self._wanted.add(event.conversation)
            case "role":
                for person in people:
                    self._role(room, person.id, person.role, me)
        owner = event.content.get("owner")
        owner = owner.get("id") if isinstance(owner, dict) else owner
        if isinstance(owner, str):
            self._role(room, owner, "owner", me)

    def _role(self, room: Room, user: str, role: str, me: str) -> None:
        if not room.became(user, role, me):
            self._wanted.add(room.fixed.id)


def _people(value: Any) -> list[Member]:
    try:
        return msgspec.convert(value, type=list[Member])
    except msgspec.ValidationError:
        return []


def _adds(content: Json, user: str) -> bool:
    return content.get("action") == "add" and any(person.id == user for person in _people(content.get("users")))


def _takes_away(content: Json, user: str) -> bool:
    return content.get("action") in ("remove", "leave") and any(person.id == user for person in _people(content.get("users")))
