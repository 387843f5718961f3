"""One search on one consistent state: candidates of the index, newest first, those of them that the asker may read now, and of
these the ones in which everything asked for is.

The index brings candidates of all conversations. When few of them are the asker's, the rest is asked for with the labels of the
asker's conversations: so a word that is everywhere but in one's own conversations is as quick as another.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    select,
)

from hongyan.core.content import ADMINS, ALL
from hongyan.core.model import Event
from hongyan.features.search import matching
from hongyan.features.search.asking import Question
from hongyan.features.search.documents import Document, document, label, labels_of_time
from hongyan.features.search.folding import folded
from hongyan.features.search.index import state
from hongyan.features.search.names import places, senders
from hongyan.features.search.tokens import Unit, units
from hongyan.messaging.owned import shown
from hongyan.messaging.tables import amended, conversations, members
from hongyan.store.places import LIST, NUMBERS
from hongyan.store.schema import events

ME = "me"
_FIRST = 50
_GROWTH = 4
_CHUNK = 4_000
_MOST_CANDIDATES = 40_000
"""Of one page; then it ends, and the next one goes on."""
_MOST_LABELS = 400
"""Conversations that a question to the index names."""
_MOST_SENDERS = 50
_STEP = 500
_TAIL = 2_000
"""Events at the end of the log that are looked at one by one when they are not in the index: what was just sent is found."""
_PATIENCE = 1_000
_SELDOM = 50
_FEW = 50
"""After 1,000 candidates of which fewer than one in 50 was the asker's, or at once when they are in at most 50 conversations,
only their conversations are asked for.
"""


_MOST_BYTES = 1_048_576
"""A page that has so many bytes of contents is long enough."""


class Asked(msgspec.Struct, frozen=True):
    """A question of somebody."""

    question: Question
    user: str
    below: int
    """Only messages at positions below."""
    want: int
    """So many matches are enough."""


class Match(msgspec.Struct, frozen=True):
    """A message that the asker may read, and in which everything is."""

    event: Event
    title: str | None
    document: Document
    ranges: list[tuple[int, int]]
    counts: list[int]
    """How often each term is in it."""
    length: int
    """Units of its text."""


class Matches(msgspec.Struct, frozen=True):
    found: list[Match]
    """Newest first."""
    rest: int
    """Below this position nothing was looked at; 0 when everything was."""


def find(connection: Connection, asked: Asked, out_of_time: Callable[[], bool]) -> Matches:
    """Ends early, with a `rest`, when it is out of time, or has looked at very many candidates."""
    filters = _resolve(connection, asked)
    if filters is None:
        return Matches([], 0)
    newest = matching.of(connection).newest
    found: list[Match] = []
    readable = ended = held = 0

    def look(candidates: Sequence[int]) -> bool:
        """Whether that was enough."""
        nonlocal readable, ended, held
        rows = _readable(connection, asked.user, candidates, filters.lanes)
        readable += len(rows)
        for row in rows:
            match = _match(row, asked, filters)
            if match is not None:
                found.append(match)
                held += len(match.event.content)
                if len(found) == asked.want or held >= _MOST_BYTES:
                    ended = row.position
                    return True
            if out_of_time():
                ended = row.position
                return True
        return False

    now = state(connection)
    top = min(asked.below, now.head + 1)
    tail = range(top - 1, max(now.position, now.head - _TAIL), -1)  # where the index does not reach the end of the log
    for begin in range(0, len(tail), _STEP):
        if look(tail[begin : begin + _STEP]):
            return Matches(found, ended)
        if out_of_time():
            return Matches(found, tail[min(begin + _STEP, len(tail)) - 1])
    below, looked, size = (tail[-1] if tail else top), 0, _FIRST
    wanted, narrow = filters.wanted, filters.lanes is not None
    mine: list[str] = []
    while True:
        candidates = newest(connection, wanted, below, size)
        if look(candidates):
            return Matches(found, ended)
        if len(candidates) < size:
            return Matches(found, 0)
        below, looked, size = candidates[-1], looked + size, min(size * _GROWTH, _CHUNK)
        if looked >= _MOST_CANDIDATES or out_of_time():
            return Matches(found, below)
        if not narrow:
            mine = mine or list(connection.execute(select(members.c.conversation).where(members.c.user == asked.user)).scalars())
            if not mine:
                return Matches(found, 0)
            if len(mine) <= _FEW or (len(mine) <= _MOST_LABELS and looked >= _PATIENCE and readable * _SELDOM < looked):
                narrow = True
                wanted, size = [*wanted, [label("in", one) for one in mine]], 2 * asked.want


class _Filters(msgspec.Struct, frozen=True):
    wanted: list[list[str]]
    senders: frozenset[str] | None
    lanes: frozenset[str] | None
    mentions: list[frozenset[str]]
    patterns: list[re.Pattern[str]]


def _resolve(connection: Connection, asked: Asked) -> _Filters | None:
    """Names into ids. None when there is nobody, or no conversation, called so."""
    question = asked.question
    who = senders(connection, asked.user, question.senders, _MOST_SENDERS) if question.senders else None
    where = places(connection, asked.user, question.places) if question.places else None
    if (question.senders and not who) or (question.places and not where):
        return None
    mentions: list[frozenset[str]] = []
    for name in question.mentions:
        people = senders(connection, asked.user, [name], _MOST_SENDERS)
        if not people:
            return None
        mentions.append(frozenset([*people, ALL, ADMINS] if asked.user in people else people))
    wanted = [[token] for token in dict.fromkeys(token for term in question.terms for token in term.tokens()[:_MOST_TOKENS])]
    wanted += [[label("has", what)] for what in question.has]
    wanted += [[label("to", one) for one in some] for some in mentions]
    if times := labels_of_time(question.since, question.until):
        wanted.append(list(times))
    if who is not None:
        wanted.append([label("from", one) for one in who])
    if where is not None and len(where) <= _MOST_LABELS:
        wanted.append([label("in", one) for one in where])
    patterns = [term.pattern() for term in question.terms]
    return _Filters(wanted, _frozen(who), _frozen(where), mentions, [one for one in patterns if one is not None])


_MOST_TOKENS = 12
"""Of one term: more narrow nothing down."""


def _frozen(ids: set[str] | None) -> frozenset[str] | None:
    return None if ids is None else frozenset(ids)


# Rights


def _readable_among(each: FromClause, number: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    e, m, a = events.c, members.c, amended.c
    return (
        select(
            e.position, e.lane, e.seq, e.type, e.sender, e.time, e.client_id, e.content,
            a.text, a.mentions, m.role, conversations.c.title,
        )
        .select_from(each)
        .join(events, e.position == number)
        .join(members, and_(m.conversation == e.lane, m.user == bindparam("user"), e.seq >= m.first_seq))
        .join(conversations, conversations.c.id == e.lane)
        .outerjoin(amended, and_(a.conversation == e.lane, a.seq == e.seq))
        .where(a.recalled.is_(None), shown(bindparam("user"), e.lane, e.seq))
        .order_by(e.position.desc())
    )  # fmt: skip


_READABLE = {dialect: _readable_among(wanted.each, wanted.number) for dialect, wanted in NUMBERS.items()}


def _readable(connection: Connection, user: str, numbers: Sequence[int], lanes: frozenset[str] | None) -> Sequence[Any]:
    """Those of these messages that the user may read at this moment, newest first: asked of the tables each time."""
    if not numbers:
        return []
    given = {LIST: f"[{','.join(map(str, numbers))}]", "user": user}
    rows = connection.execute(_READABLE[connection.dialect.name], given).all()
    return rows if lanes is None else [row for row in rows if row.lane in lanes]


# What was asked for


def _match(row: Any, asked: Asked, filters: _Filters) -> Match | None:
    question = asked.question
    if filters.senders is not None and row.sender not in filters.senders:
        return None
    if not (question.since or 0) <= row.time < (question.until if question.until is not None else row.time + 1):
        return None
    one = document(row.content, row.text, row.mentions)
    if one is None or not set(question.has) <= set(one.has):
        return None
    for people in filters.mentions:
        if not any(who in people and (who != ADMINS or row.role != "member") for who in one.mentions):
            return None
    if filters.patterns:
        whole = folded(one.text)
        if not all(pattern.search(whole) for pattern in filters.patterns):
            return None
    text: Sequence[Unit] = units(one.text) if question.terms else ()
    ranges: list[tuple[int, int]] = []
    counts: list[int] = []
    for term in question.terms:
        places = term.found_in(text)
        if not places:
            return None
        ranges += places
        counts.append(len(places))
    event = Event(row.position, row.lane, row.seq, row.type, row.sender, row.time, row.client_id, row.content)
    return Match(event, row.title, one, ranges, counts, len(text))


def score(match: Match) -> float:
    """More occurrences in shorter messages are better, each further one of a word less than the one before (as in BM25)."""
    weight = 1.2 * (0.25 + 0.75 * match.length / 40)
    return sum(count * 2.2 / (count + weight) for count in match.counts)
