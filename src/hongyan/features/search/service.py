"""Searching: limits, how far the index has to be, pages, and what a hit looks like."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from time import monotonic
from typing import Literal

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hongyan import config
from hongyan.core.amending import Amended
from hongyan.core.errors import Invalid, Overloaded, RateLimited, SearchTooSlow
from hongyan.core.model import Caller
from hongyan.core.wire import wired
from hongyan.features.search import asking, finding, matching, names
from hongyan.features.search.finding import Asked, Match
from hongyan.features.search.index import Indexer, state
from hongyan.features.search.model import Found, FoundConversation, Hit
from hongyan.features.search.snippets import snippet
from hongyan.messaging import Log, UserView
from hongyan.messaging.amendments import Ref, states
from hongyan.store import Store

Order = Literal["time", "relevance"]

_PAGE = re.compile(r"([tr])([0-9]{1,18})(?:\.([0-9]{1,4}))?", re.ASCII)
_END = 2**62
_CANCELLED = "57014"
"""PostgreSQL's code for a statement that took longer than it may."""


class _Page(msgspec.Struct, frozen=True):
    """Where a page begins: below a position; of an order by relevance also behind so many of the best."""

    below: int = _END
    skip: int = 0


class Search:
    """`queued` tells how many appends wait, `now` what time it is where people's days begin."""

    def __init__(
        self,
        store: Store,
        log: Log,
        settings: config.Settings,
        queued: Callable[[], int],
        *,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._settings = settings.search
        self._now = now
        self._clock = clock
        self.indexer = Indexer(store, log, queued, clock=clock)
        self._room = asyncio.Semaphore(max(settings.log.readers // 2, 1))
        self._waiting = 0
        self._asking: Counter[str] = Counter()
        self.answered = 0

    async def start(self) -> None:
        await self.indexer.start()

    async def stop(self) -> None:
        await self.indexer.stop()

    async def messages(
        self,
        caller: Caller,
        text: str,
        fields: asking.Fields,
        *,
        order: Order = "time",
        limit: int = 20,
        page: str | None = None,
    ) -> Found:
        """Raises Invalid, RateLimited, Overloaded, SearchTooSlow."""
        most = self._settings
        question = asking.read(text, fields, self._now(), most_length=most.length, most_terms=most.words)
        begin = _page(page, order)
        limit = min(limit, most.page)
        async with self._admitted(caller.user):
            until = self._clock() + most.seconds
            want = most.ranked if order == "relevance" else limit + 1
            asked = Asked(question, caller.user, begin.below, want)

            def read(connection: Connection, head: int | None = None) -> Found | int:
                """Without a `head` the index has to reach the end of the log; otherwise the answer is where that is."""
                now = state(connection)
                if head is None and not now.complete:
                    return now.head
                complete = now.position >= (now.head if head is None else head)
                matching.of(connection).calm(connection, most.seconds)
                with _cut():
                    matches = finding.find(connection, asked, lambda: self._clock() > until)
                if order == "relevance":
                    shown, following = _ranked(matches.found, begin, limit)
                else:
                    shown = matches.found[:limit]
                    rest = shown[-1].event.position if len(matches.found) > limit else matches.rest
                    following = f"t{rest}" if rest else None
                done = states(connection, caller.user, [(one.event.lane, one.event.seq) for one in shown])
                return Found([self._hit(one, done) for one in shown], following, complete)

            found = await self._store.read(read)
            if isinstance(found, int):
                head = found
                await self.indexer.reach(head, most.catch_up_seconds)
                found = await self._store.read(lambda connection: read(connection, head))
            assert isinstance(found, Found)  # noqa: S101
            self.answered += 1
            return found

    async def people(self, caller: Caller, text: str, limit: int) -> list[UserView]:
        """Raises Invalid, RateLimited, Overloaded."""
        wanted = self._name(text)
        async with self._admitted(caller.user):
            return await self._store.read(lambda connection: names.people(connection, wanted, limit))

    async def conversations(self, caller: Caller, text: str, limit: int) -> list[FoundConversation]:
        """One's own. Raises Invalid, RateLimited, Overloaded."""
        wanted = self._name(text)
        async with self._admitted(caller.user):
            return await self._store.read(lambda connection: names.own_conversations(connection, caller.user, wanted, limit))

    def _name(self, text: str) -> str:
        if not text.strip() or len(text) > self._settings.length or "\0" in text:
            raise Invalid(f"Type a part of a name, 1 to {self._settings.length} characters")
        return text

    @contextlib.asynccontextmanager
    async def _admitted(self, user: str) -> AsyncIterator[None]:
        """Searches leave half of the store's readers to everything else, and one user does not take all of that half."""
        if self._asking[user] >= self._settings.at_once:
            raise RateLimited("Wait for the answer to your other searches", retry_after=0.5)
        if self._waiting >= self._settings.waiting:
            raise Overloaded("Too many people are searching", retry_after=1.0)
        self._asking[user] += 1
        self._waiting += 1
        try:
            async with self._room:
                yield
        finally:
            self._waiting -= 1
            self._asking[user] -= 1
            if not self._asking[user]:
                del self._asking[user]

    def _hit(self, match: Match, done: dict[Ref, Amended]) -> Hit:
        event = match.event
        amended = done.get((event.lane, event.seq))
        return Hit(wired(event, self._store.epoch), amended, match.title, snippet(match.document.text, match.ranges))


@contextlib.contextmanager
def _cut() -> Iterator[None]:
    """Inside the read, since the store takes a cancelled statement for a database that is going away, and tries again."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _CANCELLED:
            raise SearchTooSlow from error
        raise


def _page(text: str | None, order: Order) -> _Page:
    if text is None:
        return _Page()
    match = _PAGE.fullmatch(text)
    if match is None or (match[1] == "r") != (order == "relevance"):
        raise Invalid("page is what an answer to the same question gave as next, unchanged")
    return _Page(int(match[2]), int(match[3] or 0))


def _ranked(found: list[Match], begin: _Page, limit: int) -> tuple[list[Match], str | None]:
    """A page of the best, and the next one: the same matches again, as long as nothing at or above the first is counted."""
    if not found:
        return [], None
    below = begin.below if begin.below != _END else found[0].event.position + 1
    best = sorted(found, key=lambda one: (-finding.score(one), -one.event.position))
    behind = begin.skip + limit
    return best[begin.skip : behind], f"r{below}.{behind}" if behind < len(best) else None
