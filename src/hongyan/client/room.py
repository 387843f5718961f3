"""One conversation, changing: what its events, and the reader's own, make of it. Part of the fold in `state.py`."""

import msgspec

from hongyan.client.model import Conversation, Event, Json, Member
from hongyan.client.unread import Unread
from hongyan.core.amending import Amended, amend, target
from hongyan.core.notifying import mentions
from hongyan.core.owned import after

RECALLED: Json = {"type": "recalled"}
_WRITTEN = ("message", "reply")


class Room:
    """Methods that answer False could not tell: the conversation is to be loaded again."""

    def __init__(self, seen: Conversation, position: int) -> None:
        self.position = position
        """Events up to here are in it already."""
        self.fixed = seen
        self.title = seen.title
        self.topic = seen.topic
        self.history = seen.history
        self.writers = seen.writers
        self.role = seen.role
        self.head_seq = seen.head_seq
        self.read_seq = seen.read_seq
        self.last = seen.last
        self.amended = seen.amended
        self.own = seen.own
        mark = seen.read_seq if seen.own.unread_from is None else seen.own.unread_from - 1
        self.unread = Unread(seen.unread, mark, seen.head_seq)
        self.mentioned = Unread(seen.mentioned, mark, seen.head_seq)
        self.member_count = seen.member_count
        self.members = None if seen.members is None else {member.id: member for member in seen.members}

    def view(self) -> Conversation:
        return msgspec.structs.replace(
            self.fixed,
            title=self.title,
            topic=self.topic,
            history=self.history,
            writers=self.writers,
            role=self.role,
            head_seq=self.head_seq,
            read_seq=self.read_seq,
            unread=self.unread.count,
            mentioned=self.mentioned.count,
            last=self.last,
            amended=self.amended,
            own=self.own,
            member_count=self.member_count,
            members=None if self.members is None else [self.members[id] for id in sorted(self.members)],
            cursor=None,
        )

    def said(self, event: Event, me: str) -> None:
        """A message, or one of a thread."""
        if event.type == "message":
            self.last, self.amended = event, None
            if event.sender != me:
                self.unread.arrived(event.seq)
        if event.sender != me and self._mentions(event.content, me):
            self.mentioned.arrived(event.seq)

    def acted(self, event: Event, me: str) -> bool:
        """Something was done to a message."""
        seq = target(event)
        if seq is None:
            return True
        if self.last is not None and seq == self.last.seq:
            self.amended = amend(self.amended or Amended(seq), event, me)
            if event.type == "recall":
                self.last = msgspec.structs.replace(self.last, content=RECALLED)
        if event.type not in ("edit", "recall") or seq < self.fixed.first_seq:
            return True
        return self.mentioned.changed(seq, event.type == "edit" and event.sender != me and self._mentions(event.content, me))

    def done(self, event: Event) -> bool:
        """The reader has done something for themselves."""
        self.own = after(self.own, event)
        content = event.content
        match event.type:
            case "read":
                self.read_seq = max(self.read_seq, content["seq"])
                counted = self.unread.read(self.read_seq)  # each of both has to move
                return self.mentioned.read(self.read_seq) and counted
            case "unread":
                return False
            case "hide":
                return self.last is None or self.last.seq not in content["seqs"]
            case "unhide":
                return self.last is not None and max(content["seqs"]) < self.last.seq
        return True

    def became(self, user: str, role: str, me: str) -> bool:
        """Somebody's role."""
        counts = True
        if user == me:
            counts = (self.role == "member") == (role == "member") or self.head_seq <= self.mentioned.read_seq
            self.role = role
        if self.members is not None and user in self.members:
            self.members[user] = msgspec.structs.replace(self.members[user], role=role)
        return counts

    def set(self, content: Json) -> None:
        """Some of its settings have changed."""
        self.title = content.get("title", self.title)
        self.topic = content.get("topic", self.topic)
        self.history = content.get("history", self.history)
        self.writers = content.get("writers", self.writers)

    def renamed(self, member: Member) -> None:
        """Another display name of somebody who is listed."""
        if self.members is not None and member.id in self.members:
            self.members[member.id] = msgspec.structs.replace(self.members[member.id], name=member.name)

    def _mentions(self, content: Json, me: str) -> bool:
        return mentions(content.get("mentions", ()), me, self.role or "member")
