"""Random histories against the real core, as the web client would be given them: its fold has to end at the server's own answer.

A play is what one person's client gets, in order: events, and between them answers of requests, some of them late (events have
overtaken them), some early (the stream is behind them). At the end stands what the server says then.
"""

import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hongyan.core import acts
from hongyan.core.content import Poll
from hongyan.core.errors import HongyanError
from hongyan.core.notifying import Reader, Said, notifies
from hongyan.core.own import Level
from hongyan.core.preferences import Preferences, Quiet
from hongyan.core.wire import Entry
from hongyan.messaging.history import Page
from hongyan.store import reading
from tests.build import House
from tests.messaging.test_snapshot import USERS, act, for_oneself, head, on_message, some_message, write

Json = dict[str, Any]
LATE = 6
"""Events by which an answer is late or early, at most."""
ALL_OF_IT = 1000


class Play:
    """One person's client. `ask` keeps an answer with its place among the events."""

    def __init__(self, home: House, user: str, dice: random.Random) -> None:
        self._home = home
        self._caller = home.caller(user)
        self._dice = dice
        self._asked: list[tuple[int, Json]] = []
        self._last = 0
        self._runs: dict[str, tuple[int, int]] = {}
        """What is loaded, from and to, by conversation."""
        self.user = user
        self.first: Json = {}

    async def begin(self) -> None:
        self.first = await self.snapshot()
        self._last = position(self.first["cursor"])

    async def snapshot(self) -> Json:
        return plain(await self._home.messaging.conversations.snapshot(self._caller))

    async def conversation(self, id: str) -> Json:
        return plain(await self._home.messaging.conversations.get(self._caller, id))

    async def page(self, id: str, **which: int) -> Json:
        history = self._home.messaging.history
        if (seq := which.pop("around", None)) is not None:
            page = await history.around(self._caller, id, seq, **which)
            return {**page_of(page), "newer": page.newer}
        return page_of(await history.page(self._caller, id, **which))  # type: ignore[arg-type]

    async def ask(self, ids: Sequence[str]) -> None:
        """Something that a client asks for now and then."""
        id = self._dice.choice(ids)
        if self._dice.random() < 0.4:
            await self._keep({"answer": await self.conversation(id)})
            return
        run = self._runs.get(id)
        if run is None or self._dice.random() < 0.1:
            if self._dice.random() < 0.5:
                await self._load(id, "newest", limit=self._dice.randint(1, 12))
            else:
                head = (await self.conversation(id))["head_seq"]
                await self._load(id, "around", around=self._dice.randint(1, head), limit=self._dice.randint(1, 12))
        elif self._dice.random() < 0.5:
            await self._load(id, "older", before=run[0], limit=self._dice.randint(1, 20))
        else:
            await self._load(id, "newer", after=run[1], limit=self._dice.choice([2, 5, ALL_OF_IT]))

    async def _load(self, id: str, where: str, **which: int) -> None:
        page = await self.page(id, **which)
        if not page["events"]:
            return
        first, last = page["events"][0]["seq"], page["events"][-1]["seq"]
        run = self._runs.get(id)
        self._runs[id] = (
            (first, last) if run is None or where in ("newest", "around") else (min(first, run[0]), max(last, run[1]))
        )
        await self._keep({"page": page, "where": where, "conversation": id})

    async def _keep(self, answer: Json) -> None:
        """With the place at which the client gets it: about where it was made, and in the order of asking."""
        made = await self._home.store.read(reading.head)
        self._last = max(self._last, made + self._dice.randint(-LATE, LATE))
        self._asked.append((self._last, answer))

    def told(self, events: Sequence[Json]) -> list[Json]:
        """Everything in its order."""
        steps = [(position(event["cursor"]), {"event": event}) for event in events]
        return [step for _, step in sorted(steps + self._asked, key=lambda step: step[0])]


async def play_of(home: House, seed: int, *, busy: int) -> list[Json]:
    """What happens to four people."""
    dice = random.Random(seed)
    await home.add(*USERS)
    groups = [await home.group("alice", "bob", "carol")]
    for _ in range(25):
        await act(home, dice, groups)
    plays = [Play(home, user, dice) for user in USERS]
    for play in plays:
        await play.begin()
    watching = {user: await home.reader(user, play.first["cursor"]) for user, play in zip(USERS[:2], plays, strict=False)}
    """They are given everything as it happens; the others come late, when texts have been taken back."""
    for _ in range(busy):
        await (act(home, dice, groups) if dice.random() < 0.1 else tried(deed(home, dice, dice.choice(groups[:2]))))
        if dice.random() < 0.05:
            await home.messaging.people.rename(dice.choice(USERS), f"名{dice.randrange(9)}", 1)
        if dice.random() < 0.5:
            await tried(dice.choice(plays).ask(groups[:2] if dice.random() < 0.8 else groups))
    return [await ended(home, play, watching.get(play.user)) for play in plays]


async def deed(home: House, dice: random.Random, group: str) -> None:
    """Of those that most of a day is made of."""
    user = dice.choice(USERS)
    match dice.randrange(14):
        case 0 | 1 | 2 | 3:
            await write(home, dice, user, group)
        case 4:
            poll = Poll("问？", ("甲", "乙"), multiple=True)
            await home.messaging.sender.send(home.caller(user), group, f"p{dice.random()}", poll)
        case 5 | 12 | 13:
            at = await head(home, user, group)
            await home.messaging.receipts.read(home.caller(user), group, dice.randint(max(1, at - 8), at))
        case 6 | 7:
            seq = await some_message(home, dice, user, group)
            await home.messaging.owning.do(home.caller(user), dice.choice(for_oneself(dice, group, seq)))
        case _:
            page = await home.messaging.history.page(home.caller(user), group, limit=30)
            written = [entry.event for entry in page.entries if entry.event.type in ("message", "reply")]
            if not written:
                return
            event = dice.choice(written[-4:] if dice.random() < 0.6 else written)
            done = dice.choice(on_message(dice, event.seq))
            if dice.random() < 0.4:
                polls = [one for one in written if b'"poll"' in one.content]
                done = dice.choice([acts.React, acts.Unreact])(event.seq, "👍")
                if polls and dice.random() < 0.6:
                    done = acts.Vote(polls[-1].seq, tuple(dice.sample(range(2), dice.randrange(3))))
            is_authors = isinstance(done, acts.Edit | acts.Recall) and event.sender is not None and dice.random() < 0.8
            await home.messaging.acts.act(home.caller(event.sender if is_authors and event.sender else user), group, done)


async def plain_play_of(home: House, seed: int) -> list[Json]:
    """What can be told from events alone, for somebody who has read everything: nothing has to be asked for."""
    dice = random.Random(seed)
    await home.add(*USERS)
    group = await home.group("alice", "bob", "carol")
    head = (await home.messaging.conversations.get(home.caller("alice"), group)).head_seq
    await home.messaging.receipts.read(home.caller("alice"), group, head)
    play = Play(home, "alice", dice)
    await play.begin()
    for _ in range(60):
        user = dice.choice(["alice", "bob", "carol"])
        if dice.random() < 0.4:
            await tried(write(home, dice, user, group))
        else:
            seq = await some_message(home, dice, user, group)
            await tried(home.messaging.acts.act(home.caller(user), group, dice.choice(on_message(dice, seq))))
    return [await ended(home, play, None) | {"plain": True}]


async def ended(home: House, play: Play, watching: Any) -> Json:
    reader = watching or await home.reader(play.user, play.first["cursor"])
    await reader.caught_up()
    epoch = home.store.epoch
    told = play.told([msgspec.json.decode(Entry(event, epoch).json()) for event in reader.events])
    later = await play.snapshot()
    ids = [conversation["id"] for conversation in later["conversations"]]
    return {
        "me": play.user,
        "first": play.first,
        "told": told,
        "later": later,
        "pages": {id: await play.page(id, limit=ALL_OF_IT) for id in ids},
    }


async def tried(doing: Any) -> None:
    with contextlib.suppress(HongyanError):
        await doing


def page_of(page: Page) -> Json:
    events = [msgspec.json.decode(entry.json()) for entry in page.entries]
    return {"events": events, "more": page.more, "amended": plain(page.amended)}


def position(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])


def plain(made: Any) -> Any:
    """As it travels."""
    return msgspec.json.decode(msgspec.json.encode(made))


def decisions(seed: int, count: int) -> list[Json]:
    """Who is told of what, by the server's own rule."""
    dice = random.Random(seed)
    some: Callable[..., Any] = dice.choice
    found = []
    for _ in range(count):
        now = 1_735_689_600_000 + dice.randrange(366 * 24 * 60) * 60_000  # minutes of a year, with both changes of the clock
        around = [None, None, now - 1, now, now + 1]
        clocks = [f"{dice.randrange(24):02}:{dice.randrange(60):02}" for _ in range(2)]
        zone = some(["Asia/Shanghai", "America/New_York", "Europe/London", "Asia/Kathmandu", "Nowhere/Land"])
        days = tuple(sorted(dice.sample(range(7), dice.randint(1, 7))))
        quiet = some([None, Quiet(*clocks, zone), Quiet(*clocks, zone, days), Quiet(clocks[0], clocks[0], zone, days)])
        keywords = tuple(dice.sample(["上线", "deploy", "C++", "Straße", "ΟΔΟΣ", "é", "v2"], dice.randrange(4)))
        text = some(
            ["今晚上线", "redeploy", "Deploy!", "ＤＥＰＬＯＹ 了", "学c++的", "strasse", "οδος", "E\u0301", "v22 v2", "xv2", ""]
        )
        said = Said(
            some(["alice", "bob", None]),
            text,
            tuple(dice.sample(["alice", "bob", "@all", "@admins"], dice.choice([0, 0, 0, 1, 2]))),
        )
        level: Level = some(["all", "all", "mentions", "nothing"])
        preferences = Preferences(some(around), quiet, keywords)
        reader = Reader("alice", some(["member", "admin", "owner"]), level, some(around), preferences)
        kind = some(["direct", "group", "channel"])
        found.append(
            {
                "said": plain(said),
                "kind": kind,
                "reader": absent(plain(reader)),
                "now": now,
                "decision": plain(notifies(said, kind, reader, now)),
            }
        )
    return found


def absent(one: Json) -> Json:
    """Without the members that are nothing."""
    return {name: value for name, value in one.items() if value is not None}
