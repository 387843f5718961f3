"""Who finds what: only what they may read at that moment, and what it says at that moment."""

from hongyan.core import acts
from hongyan.core.errors import StoreUnavailable
from tests.features.search.finder import Finder


async def test_stranger_former_member_late_member_and_member(finder: Finder) -> None:
    home = finder.home
    group = await home.group("alice", "bob", "carol")
    first = (group, (await finder.say("alice", group, "蓝图第一版")).seq)
    await home.messaging.conversations.remove(home.caller("alice"), group, "carol")
    await home.messaging.conversations.add(home.caller("alice"), group, ["dave"])
    second = (group, (await finder.say("bob", group, "蓝图第二版")).seq)
    assert await finder.places("alice", "蓝图") == [second, first]
    assert await finder.places("bob", "蓝图") == [second, first]
    assert await finder.places("carol", "蓝图") == []
    assert await finder.places("dave", "蓝图") == [second]
    assert await finder.places("dave", f"蓝图 in:{group}") == [second]
    assert await finder.places("carol", f"蓝图 in:{group}") == []
    await home.add("erin")
    assert await finder.places("erin", "蓝图") == []


async def test_who_is_in_no_conversation_at_all_finds_nothing(finder: Finder) -> None:
    home = finder.home
    group = await home.group("alice", "bob")
    for number in range(120):
        await home.send("bob", group, f"蓝图 {number}")
    await home.messaging.conversations.remove(home.caller("dave"), "lobby", "dave")
    for order in ("time", "relevance"):
        assert await finder.places("dave", "蓝图", order=order) == []
    assert len(await finder.places("alice", "蓝图", limit=100)) == 100


async def test_a_store_that_cannot_be_written_is_still_searched(finder: Finder) -> None:
    home = finder.home
    group = await home.group("alice", "bob")
    old = (await finder.say("bob", group, "蓝图")).seq
    assert await finder.places("alice", "蓝图") == [(group, old)]
    new = (await finder.say("bob", group, "蓝图二")).seq

    async def full(*_: object, **__: object) -> None:
        raise StoreUnavailable

    home.store.transaction = full  # type: ignore[method-assign, assignment]
    found = await finder.ask("alice", "蓝图")
    assert ([hit.event.seq for hit in found.hits], found.complete) == ([new, old], False)


async def test_a_right_that_changes_between_two_searches(finder: Finder) -> None:
    home = finder.home
    group = await home.group("alice", "bob", history="all")
    seq = (await finder.say("alice", group, "quarterly numbers")).seq
    assert await finder.places("bob", "quarterly") == [(group, seq)]
    await home.messaging.conversations.remove(home.caller("alice"), group, "bob")
    assert await finder.places("bob", "quarterly") == []
    await home.messaging.conversations.add(home.caller("alice"), group, ["bob"])
    assert await finder.places("bob", "quarterly") == [(group, seq)]


async def test_edited_away_text_is_gone_and_the_new_one_found_in_its_place(finder: Finder) -> None:
    group = await finder.home.group("alice", "bob")
    seq = (await finder.say("alice", group, "明天十点见")).seq
    later = (await finder.say("bob", group, "后天有雨")).seq
    assert await finder.places("bob", "明天") == [(group, seq)]
    await finder.act("alice", group, acts.Edit(seq, "后天九点见"))
    assert await finder.places("bob", "明天") == []
    assert await finder.places("bob", "后天") == [(group, later), (group, seq)]
    found = await finder.ask("bob", "九点")
    assert found.hits[0].amended is not None
    assert (found.hits[0].amended.text, found.hits[0].snippet.text) == ("后天九点见", "后天九点见")


async def test_edited_text_is_not_found_even_while_the_index_is_behind(finder: Finder) -> None:
    group = await finder.home.group("alice", "bob")
    seq = (await finder.say("alice", group, "旧的内容")).seq
    gone = (await finder.say("alice", group, "旧的秘密")).seq
    assert len(await finder.places("bob", "旧的")) == 2

    async def never(position: int, seconds: float) -> None:
        pass

    finder.search.indexer.reach = never  # type: ignore[method-assign]
    await finder.act("alice", group, acts.Edit(seq, "新的内容"))
    await finder.act("alice", group, acts.Recall(gone))
    found = await finder.ask("bob", "旧的")
    assert (found.hits, found.complete) == ([], False)
    new = (await finder.say("alice", group, "刚刚说的")).seq
    found = await finder.ask("bob", "刚刚")
    assert ([hit.event.seq for hit in found.hits], found.complete) == ([new], False)


async def test_recalled_text_is_not_found_nor_in_the_index(finder: Finder) -> None:
    group = await finder.home.group("alice", "bob")
    seq = (await finder.say("alice", group, "口令是芝麻开门")).seq
    assert await finder.places("bob", "芝麻") == [(group, seq)]
    await finder.act("alice", group, acts.Recall(seq))
    assert await finder.places("bob", "芝麻") == []
    assert await finder.places("alice", "芝麻") == []
    from sqlalchemy import text

    left = await finder.home.store.read(
        lambda connection: connection.execute(text("SELECT count(*) FROM search_index WHERE CAST(tokens AS text) LIKE '%芝麻%'"))
    )
    assert left.scalar() == 0


async def test_recall_of_what_was_never_indexed(finder: Finder) -> None:
    group = await finder.home.group("alice", "bob")
    seq = (await finder.say("alice", group, "手滑了")).seq
    await finder.act("alice", group, acts.Edit(seq, "又手滑了"))
    await finder.act("alice", group, acts.Recall(seq))
    assert await finder.places("alice", "手滑") == []
