"""The index is complete, whoever makes it, whatever happens meanwhile."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from hongyan.core import acts
from hongyan.core.errors import HongyanError, Invalid
from hongyan.core.model import WRITTEN
from hongyan.features.search import asking, finding
from hongyan.features.search.documents import document
from hongyan.features.search.index import state
from hongyan.features.search.tokens import units
from hongyan.messaging import amendments
from tests.build import house
from tests.features.search.finder import NOW, Finder

PIECES = [*"今天明后会议电腦软體a1。， ", "hello", "World", "用Python", "foo_bar", "x.com", "👍", "\n", "\u200b", "ＡＢ", "é"]
WHO = ("alice", "bob", "carol", "dave")


def said(dice: random.Random) -> str:
    return "".join(dice.choices(PIECES, k=dice.randint(1, 8))).strip() or "无"


async def scan(finder: Finder, user: str, question: str) -> list[tuple[str, int]]:
    """Every message of the log that the user may read, newest first, looked at one by one."""
    terms = asking.read(question, asking.Fields(), NOW, most_length=500, most_terms=20).terms
    home = finder.home
    mine = {one.id: one.first_seq for one in (await home.messaging.conversations.snapshot(home.caller(user))).conversations}
    found = []
    for event in reversed(await home.log()):
        if event.type not in WRITTEN or event.lane not in mine or event.seq < mine[event.lane]:
            continue
        now = await home.store.read(lambda connection, at=event: amendments.state(connection, user, at.lane, at.seq))
        one = document(event.content, now.text, None)
        if one is not None and all(term.found_in(units(one.text)) for term in terms):
            found.append((event.lane, event.seq))
    return found


async def test_a_search_is_a_plain_scan_on_random_histories(finder: Finder) -> None:
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    home = finder.home
    groups = [await home.group("alice", "bob", history=history) for history in ("joined", "all")]
    sent: list[tuple[str, str, int]] = []
    for _ in range(120):
        user, group = dice.choice(WHO), dice.choice(groups)
        try:
            match dice.randrange(10):
                case 0:
                    await home.messaging.conversations.add(home.caller("alice"), group, [dice.choice(WHO)])
                case 1 if user != "alice":
                    await home.messaging.conversations.remove(home.caller("alice"), group, user)
                case 2 if sent:
                    author, where, seq = dice.choice(sent)
                    await finder.act(author, where, acts.Edit(seq, said(dice)))
                case 3 if sent:
                    author, where, seq = dice.choice(sent)
                    await finder.act(author, where, acts.Recall(seq))
                case 4:
                    await finder.search.indexer.step(dice.randint(1, 20))
                case _:
                    sent.append((user, group, (await finder.say(user, group, said(dice))).seq))
        except HongyanError:
            continue
    for _ in range(40):
        user, question = dice.choice(WHO), said(dice)
        try:
            found = await finder.places(user, question, limit=100)
        except Invalid:
            continue
        assert found == await scan(finder, user, question), (seed, user, question)


async def test_two_nodes_index_at_the_same_time(place: Path | str) -> None:
    """On SQLite two processes' stores on one file, as when a server is started beside another one's end."""
    async with house(place) as home, house(place) as second:
        await home.add("alice", "bob")
        group = await home.group("alice", "bob")
        one, other = await Finder.of(home), await Finder.of(second)
        seqs = [(await one.say("bob", group, f"编号 {number}")).seq for number in range(200)]

        async def drive(finder: Finder) -> None:
            while not (await finder.home.store.read(state)).complete:
                await finder.search.indexer.step(7)

        await asyncio.gather(drive(one), drive(other))
        assert one.search.indexer.indexed + other.search.indexer.indexed == 200
        found = [seq for _, seq in await other.places("alice", "编号", limit=100)]
        assert found == seqs[::-1][:100]


async def test_a_log_that_was_there_before_is_indexed_and_meanwhile_answers_say_so(
    place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_TAIL", 0)
    async with house(place) as home:
        await home.add("alice", "bob")
        group = await home.group("alice", "bob")
        for number in range(30):
            await home.send("bob", group, f"旧账 {number}")
        finder = await Finder.of(home)
        finder.search._settings = finder.search._settings.__class__(catch_up_seconds=1e-9)
        while not (found := await finder.ask("alice", "旧账", limit=100)).complete:
            assert len(found.hits) < 30
            await finder.search.indexer.step(9)
        assert len(found.hits) == 30


async def test_background_follows_the_log(place: Path | str) -> None:
    async with house(place) as home:
        await home.add("alice", "bob")
        group = await home.group("alice", "bob")
        finder = Finder(home)
        await finder.search.start()
        await home.send("bob", group, "自己来")
        await home.settled()
        async with asyncio.timeout(20):
            while not (await home.store.read(state)).complete:
                await asyncio.sleep(0.01)
        await finder.search.stop()
        assert await finder.search.indexer.step() is False


async def test_other_tokens_make_the_index_anew(finder: Finder) -> None:
    group = await finder.home.group("alice", "bob")
    seq = (await finder.say("bob", group, "从头再来")).seq
    assert await finder.places("alice", "再来") == [(group, seq)]
    await finder.home.store.transaction(
        lambda tx: tx.connection.execute(text("UPDATE search_progress SET version = 'older'")) and None, scope="_search"
    )
    assert not (await finder.ask("alice", "再来")).complete
    again = await Finder.of(finder.home)
    assert again.search.indexer.position == 0
    assert await again.places("alice", "再来") == [(group, seq)]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_indexer_leaves_an_index_that_is_completed(place: Path | str) -> None:
    dice = random.Random()
    async with house(place) as home:
        await home.add("alice", "bob")
        group = await home.group("alice", "bob")
        seqs = [(await home.send("bob", group, f"账目 {number}")).seq for number in range(400)]
        finder = await Finder.of(home)
        for _ in range(4):
            with subprocess.Popen(
                [sys.executable, "-m", "tests.features.search.indexing", str(place)], stdout=subprocess.PIPE, text=True
            ) as process:
                assert process.stdout is not None
                for _ in range(dice.randint(1, 12)):
                    process.stdout.readline()
                process.kill()
        assert (await home.store.read(state)).position > 0
        found: list[int] = []
        page = None
        while True:
            some = await finder.ask("alice", "账目", limit=100, page=page)
            assert some.complete
            found += [hit.event.seq for hit in some.hits]
            page = some.next
            if page is None:
                break
        assert found == seqs[::-1]
        count = "SELECT count(*) FROM search_index"
        assert await home.store.read(lambda connection: connection.execute(text(count)).scalar()) == 400
