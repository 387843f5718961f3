"""A plain model of the protocol: what a server knows after each event, by brute force over the whole log."""

import copy
from typing import Any

import msgspec

from hongyan.client.model import Conversation, Event, Me, Member, Snapshot

EPOCH = "m"
PEOPLE = ("ann", "bob", "cai", "dan", "eve")


class Place(msgspec.Struct):
    role: str
    first_seq: int
    read_seq: int


class Room(msgspec.Struct):
    kind: str
    title: str | None
    history: str
    people: dict[str, Place]


class Model:
    """`viewer` is the one whose snapshots and events are kept: `snapshots[p]` is theirs at position p."""

    def __init__(self, viewer: str, listed: int, most: int) -> None:
        self.viewer = viewer
        self.listed = listed
        self.most = most
        self.log: list[Event] = []
        self.seen: list[Event] = []
        """What the viewer may see."""
        self.rooms: dict[str, Room] = {}
        self.names = {user: user.title() for user in PEOPLE}
        self.snapshots = [self._snapshot()]

    # What people do; wrong wishes change nothing

    def create(self, by: str, kind: str, others: list[str], history: str) -> None:
        people = dict.fromkeys([by, *others])
        if kind == "direct" and len(people) != 2:
            return
        id = f"room{len(self.rooms)}"
        roles = {user: "owner" if user == by and kind == "group" else "member" for user in people}
        title = None if kind == "direct" else f"title {id}"
        self.rooms[id] = Room(kind, title, history, {user: Place(role, 1, 0) for user, role in roles.items()})
        content = {"kind": kind, "title": title, "history": history, "members": self._people(roles)}
        self._append(id, "create", by, content, self.rooms[id].people)

    def message(self, room: str, by: str) -> None:
        if by in self.rooms[room].people:
            self._append(room, "message", by, {"type": "text", "text": f"{len(self.log)}"}, self.rooms[room].people)

    def add(self, room: str, by: str, others: list[str]) -> None:
        here = self.rooms[room]
        fresh = [user for user in dict.fromkeys(others) if user not in here.people]
        if here.kind == "group" and by in here.people and fresh:
            seq = self.head(room) + 1
            for user in fresh:
                here.people[user] = Place("member", 1 if here.history == "all" else seq, seq - 1)
            self._append(
                room, "member", by, {"action": "add", "users": self._people(dict.fromkeys(fresh, "member"))}, here.people
            )

    def part(self, room: str, by: str, user: str) -> None:
        here = self.rooms[room]
        if here.kind == "group" and by in here.people and user in here.people:
            readers = set(here.people)
            left = here.people.pop(user)
            content: dict[str, Any] = {"action": "leave" if by == user else "remove", "users": self._people({user: left.role})}
            if left.role == "owner" and here.people:
                heir = min(here.people, key=lambda user: (here.people[user].role != "admin", user))
                here.people[heir].role = "owner"
                content["owner"] = heir
            self._append(room, "member", by, content, readers)

    def role(self, room: str, by: str, user: str, role: str) -> None:
        here = self.rooms[room]
        if here.kind == "group" and by in here.people and here.people[by].role == "owner" and user in here.people and user != by:
            changed = {user: role}
            if role == "owner":
                changed[by] = "admin"
            for one, new in changed.items():
                here.people[one].role = new
            self._append(room, "member", by, {"action": "role", "users": self._people(changed)}, here.people)

    def settings(self, room: str, by: str, what: dict[str, str]) -> None:
        here = self.rooms[room]
        if here.kind == "group" and by in here.people:
            here.title, here.history = what.get("title", here.title), what.get("history", here.history)
            self._append(room, "settings", by, what, here.people)

    def read(self, room: str, by: str, seq: int) -> None:
        place = self.rooms[room].people.get(by)
        if place is not None and place.read_seq < seq <= self.head(room):
            place.read_seq = seq
            self._append(f"user:{by}", "read", by, {"conversation": room, "seq": seq}, {by})

    def rename(self, user: str, name: str) -> None:
        self.names[user] = name
        self._append("directory", "profile", user, {"id": user, "name": name}, PEOPLE)

    # What the viewer is told

    def conversation(self, id: str, position: int) -> Conversation | None:
        """`GET /v1/conversations/{id}` when the log had so many events; None is 404."""
        found = next((one for one in self.snapshots[position].conversations if one.id == id), None)
        return found and msgspec.structs.replace(found, cursor=f"{EPOCH}.{position}")

    def _append(self, lane: str, kind: str, sender: str, content: dict[str, Any], readers: Any) -> None:
        position = len(self.log) + 1
        event = Event(f"{EPOCH}.{position}", lane, self.head(lane) + 1, kind, sender, position, copy.deepcopy(content))
        self.log.append(event)
        if self.viewer in readers:
            self.seen.append(event)
        self.snapshots.append(self._snapshot())

    def head(self, lane: str) -> int:
        return sum(event.conversation == lane for event in self.log)

    def _people(self, roles: dict[str, str]) -> list[dict[str, str]]:
        return [{"id": user, "name": self.names[user], "role": role} for user, role in roles.items()]

    def _snapshot(self) -> Snapshot:
        mine = [self._view(id, room) for id, room in self.rooms.items() if self.viewer in room.people]
        return Snapshot(f"{EPOCH}.{len(self.log)}", Me(self.viewer, self.names[self.viewer]), mine)

    def _view(self, id: str, room: Room) -> Conversation:
        me = room.people[self.viewer]
        messages = [
            event for event in self.log if event.conversation == id and event.type == "message" and event.seq >= me.first_seq
        ]
        unread = sum(event.seq > me.read_seq and event.sender != self.viewer for event in messages)
        members = [Member(user, self.names[user], room.people[user].role) for user in sorted(room.people)]
        return Conversation(
            id=id,
            kind=room.kind,
            title=room.title,
            history=room.history,
            role=me.role,
            first_seq=me.first_seq,
            head_seq=self.head(id),
            read_seq=me.read_seq,
            unread=min(self.most, unread),
            last=messages[-1] if messages else None,
            member_count=len(members),
            members=members if len(members) <= self.listed else None,
        )
