"""Who has which number, and the names that CIM clients are shown: asked of the store once, then kept by the log's events."""

from collections.abc import Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection

from hongyan.core.model import DIRECTORY_LANE, Event
from hongyan.features.cim import rows
from hongyan.messaging import LOBBY, Log
from hongyan.messaging.people import names
from hongyan.store import Store, Transaction, reading

SCOPE = "cim:numbers"
_MOST = 100_000
"""People, and conversations, that are kept; with more it begins anew."""


class Person(msgspec.Struct, frozen=True):
    number: int
    name: str


class _Profile(msgspec.Struct):
    id: str
    name: str


class _Settings(msgspec.Struct):
    title: str | None = None


class Directory:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._people: dict[str, Person] = {}
        self._titles: dict[str, str | None] = {LOBBY: None}
        self._changed = 0
        """The position of the last event that changed a name."""

    def follow(self, log: Log) -> None:
        log.fold(self._apply)

    def person(self, user: str) -> Person | None:
        """When they are known here: see `learn`."""
        return self._people.get(user)

    def knows(self, user: str | None, lane: str) -> bool:
        """Whether what stands beside their messages in this lane is known here."""
        return user in self._people and lane in self._titles

    def title(self, lane: str) -> str | None:
        """What is put in front of messages of a lane that is known; None for direct conversations and the lobby."""
        return self._titles.get(lane)

    async def learn(self, users: Sequence[str], lanes: Sequence[str] = ()) -> dict[str, Person]:
        """Ask for those that are not known; who has no number gets one. Those of the users that exist."""
        new_users = [user for user in users if user not in self._people]
        new_lanes = [lane for lane in lanes if lane not in self._titles]
        found: dict[str, Person] = {user: self._people[user] for user in users if user in self._people}
        while new_users or new_lanes:
            numbers = await self.numbers(new_users)
            look = partial(_look, users=list(numbers), lanes=new_lanes)
            at, people, titles = await self._store.read(look)
            if self._changed <= at:  # otherwise a name may be older than an event that was applied meanwhile
                fresh = {user: Person(numbers[user], name) for user, name in people.items()}
                if max(len(self._people), len(self._titles)) > _MOST:
                    self._people, self._titles = {}, {LOBBY: None}
                self._people |= fresh
                self._titles |= titles
                return found | fresh
        return found

    async def numbers(self, users: Sequence[str]) -> dict[str, int]:
        """The numbers of those that exist; who has none gets one."""
        if not users:
            return {}
        known = await self._store.read(lambda connection: rows.numbers(connection, users))
        missing = [user for user in users if user not in known]
        if not missing:
            return known

        def write(tx: Transaction) -> dict[str, int]:
            there = rows.existing(tx.connection, missing)
            return rows.give(tx.connection, [user for user in missing if user in there])

        return known | await self._store.transaction(write, scope=SCOPE)

    def _apply(self, event: Event) -> None:
        if event.lane == DIRECTORY_LANE and event.type == "profile":
            profile = msgspec.json.decode(event.content, type=_Profile)
            self._changed = event.position
            person = self._people.get(profile.id)
            if person is not None:
                self._people[profile.id] = Person(person.number, profile.name)
        elif event.type == "settings" and event.lane in self._titles and event.lane != LOBBY:
            title = msgspec.json.decode(event.content, type=_Settings).title
            self._changed = event.position
            if title is not None:
                self._titles[event.lane] = title
        elif event.type == "settings":
            self._changed = event.position


def _look(
    connection: Connection, users: Sequence[str], lanes: Sequence[str]
) -> tuple[int, dict[str, str], dict[str, str | None]]:
    found = dict.fromkeys(lanes) | rows.titles(connection, lanes)
    return reading.head(connection), names(connection, users), found
