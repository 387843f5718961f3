"""What people do for themselves alone: what becomes of it, what their devices are told, and that nobody else is."""

import asyncio
from typing import Any

import msgspec
import pytest

from hongyan.config import Own, Settings
from hongyan.core import acts
from hongyan.core import own as owns
from hongyan.core.content import Text
from hongyan.core.errors import Conflict, HongyanError, Invalid, NotFound
from hongyan.core.policy import Span
from hongyan.core.preferences import Preferences, Quiet
from hongyan.messaging import ConversationView
from tests.build import House, house


async def do(home: House, user: str, own: owns.Own, client_id: str | None = None) -> int:
    position = await home.messaging.owning.do(home.caller(user), own, client_id)
    await home.settled()
    return position


async def view(home: House, user: str, conversation: str) -> ConversationView:
    return await home.messaging.conversations.get(home.caller(user), conversation)


async def lane(home: House, user: str) -> list[tuple[str, Any]]:
    return [(e.type, msgspec.json.decode(e.content)) for e in await home.log() if e.lane == f"user:{user}"]


async def texts(home: House, user: str, conversation: str, **more: Any) -> list[str]:
    page = await home.messaging.history.page(home.caller(user), conversation, limit=more.pop("limit", 100), **more)
    return [msgspec.json.decode(e.event.content)["text"] for e in page.entries if e.event.type == "message"]


async def test_draft_is_on_all_devices_and_the_newest_wins(home: House) -> None:
    group = await home.group("alice", "bob")
    root = (await home.send("bob", group)).seq
    await do(home, "alice", owns.Draft(group, "写到一半", reply=root))
    await do(home, "alice", owns.Draft(group, "写到一半了"))
    await do(home, "alice", owns.Draft(group, "在线里", thread=root))
    drafts = (await view(home, "alice", group)).own.drafts
    assert [(one.text, one.reply, one.thread) for one in drafts] == [("写到一半了", None, None), ("在线里", None, root)]
    assert (await view(home, "bob", group)).own.drafts == ()
    await do(home, "alice", owns.Draft(group))
    await do(home, "alice", owns.Draft(group, "  ", thread=root))
    assert (await view(home, "alice", group)).own.drafts == ()
    assert [kind for kind, _ in await lane(home, "alice")] == ["draft"] * 5


async def test_what_is_so_already_is_no_event(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("bob", group)).seq
    await home.messaging.receipts.read(home.caller("alice"), group, seq)
    twice: list[owns.Own] = [
        owns.Draft(group, "写"),
        owns.Bookmark(group, seq, "看"),
        owns.Hide(group, (seq,)),
        owns.Unread(group, seq),
        owns.Notify(group, "mentions"),
        owns.Arrange(group, pinned=True, place=3),
        owns.Follow(group, seq),
        owns.SetPreferences(Preferences(keywords=("服务器",))),
        owns.Status("开会"),
    ]
    for own in twice:
        first = await do(home, "alice", own)
        before = await home.log()
        assert await do(home, "alice", own) >= first
        assert await home.log() == before, own
    nothing: list[owns.Own] = [
        owns.Draft(group),
        owns.Unbookmark(group, seq),
        owns.Unhide(group, (seq,)),
        owns.Notify(group),
        owns.Arrange(group),
        owns.Arrange(group, place=3),
        owns.Unfollow(group, seq),
        owns.SetPreferences(Preferences()),
        owns.Status(),
        owns.Unread(group, seq),
    ]
    before = await home.log()
    for own in nothing:
        await do(home, "bob", own)
    assert await home.log() == before


async def test_twenty_at_once_are_one(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("bob", group)).seq
    for own in (owns.Bookmark(group, seq), owns.Follow(group, seq), owns.Arrange(group, pinned=True), owns.Status("忙")):
        await asyncio.gather(*(do(home, "alice", own) for _ in range(20)))
        assert [kind for kind, _ in await lane(home, "alice")].count(msgspec.to_builtins(own)["type"]) == 1


async def test_retry_with_the_same_client_id_does_nothing(home: House) -> None:
    group = await home.group("alice", "bob")
    first = await do(home, "alice", owns.Draft(group, "一"), "same")
    await do(home, "alice", owns.Draft(group, "二"))
    assert await do(home, "alice", owns.Draft(group, "一"), "same") == first
    assert (await view(home, "alice", group)).own.drafts[0].text == "二"


async def test_only_ones_own_devices_are_told(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("bob", group)).seq
    mine, other = await home.reader("alice"), await home.reader("bob")
    await do(home, "alice", owns.Bookmark(group, seq))
    await mine.wait_for(1, "bookmark")
    await other.caught_up()
    assert other.events == []


async def test_bookmarks_are_listed_with_their_messages_page_by_page(home: House) -> None:
    group = await home.group("alice", "bob")
    seqs = [(await home.send("bob", group, f"第{n}条")).seq for n in range(5)]
    for seq in seqs:
        await do(home, "alice", owns.Bookmark(group, seq, f"{seq}"))
    await home.messaging.acts.act(home.caller("bob"), group, acts.Edit(seqs[3], "改了"))
    await do(home, "alice", owns.Unbookmark(group, seqs[4]))
    lists = home.messaging.own_lists
    page = await lists.bookmarks(home.caller("alice"), None, 3)
    assert ([one.seq for one in page.bookmarks], page.more) == (seqs[3:0:-1], True)
    assert page.bookmarks[0].amended is not None
    assert page.bookmarks[0].amended.text == "改了"
    page = await lists.bookmarks(home.caller("alice"), page.bookmarks[-1].place, 3)
    assert ([one.seq for one in page.bookmarks], page.more) == ([seqs[0]], False)
    assert (await lists.bookmarks(home.caller("bob"), None, 3)).bookmarks == []
    await home.messaging.conversations.remove(home.caller("alice"), group, "bob")
    with pytest.raises(NotFound):
        await do(home, "bob", owns.Bookmark(group, seqs[0]))


async def test_who_has_left_is_not_shown_bookmarks_any_more_and_may_take_them_away(home: House) -> None:
    group = await home.group("bob", "alice")
    seq = (await home.send("bob", group)).seq
    await do(home, "alice", owns.Bookmark(group, seq))
    await home.messaging.conversations.remove(home.caller("alice"), group, "alice")
    assert (await home.messaging.own_lists.bookmarks(home.caller("alice"), None, 3)).bookmarks == []
    await do(home, "alice", owns.Unbookmark(group, seq))
    with pytest.raises(NotFound):
        await do(home, "alice", owns.Unbookmark(group, seq))


async def test_hidden_messages_are_nowhere_for_oneself_and_there_for_others(home: House) -> None:
    group = await home.group("alice", "bob")
    seqs = [(await home.send("bob", group, f"{n}")).seq for n in range(6)]
    history, caller = home.messaging.history, home.caller("alice")
    await home.messaging.acts.act(home.caller("bob"), group, acts.Pin(seqs[5]))
    await do(home, "alice", owns.Hide(group, (seqs[5], seqs[1], seqs[5])))
    assert await texts(home, "alice", group) == ["0", "2", "3", "4"]
    assert await texts(home, "bob", group) == ["0", "1", "2", "3", "4", "5"]
    assert await texts(home, "alice", group, before=seqs[3], limit=1) == ["2"]
    last = (await view(home, "alice", group)).last
    assert last is not None
    assert last.seq == seqs[4]
    assert (await history.pinned(caller, group, 0, 100)).entries == []
    with pytest.raises(NotFound):
        await history.message(caller, group, seqs[1])
    await do(home, "alice", owns.Unhide(group, (seqs[5], seqs[1])))
    assert await texts(home, "alice", group) == ["0", "1", "2", "3", "4", "5"]


async def test_pages_full_of_hidden_messages_are_read_over(home: House) -> None:
    group = await home.group("alice", "bob")
    seqs = [(await home.send("bob", group, f"{n}")).seq for n in range(30)]
    await do(home, "alice", owns.Hide(group, tuple(seqs[1:29])))
    assert await texts(home, "alice", group, limit=2) == ["0", "29"]
    assert await texts(home, "alice", group, after=seqs[0], limit=1) == ["29"]


async def test_hidden_in_a_thread(home: House) -> None:
    group = await home.group("alice", "bob")
    root = (await home.send("bob", group)).seq
    sender, caller = home.messaging.sender, home.caller("alice")
    places = [(await sender.send(home.caller("bob"), group, f"t{n}", Text(f"{n}", thread=root))).seq for n in range(3)]
    await do(home, "alice", owns.Hide(group, (places[0],)))
    page = await home.messaging.history.thread(caller, group, root, 0, 1)
    assert ([entry.event.seq for entry in page.entries], page.more) == ([places[1]], True)


async def test_marked_as_unread_until_it_is_read_again(home: House) -> None:
    group = await home.group("alice", "bob")
    seqs = [(await home.send("bob", group)).seq for _ in range(4)]
    receipts, caller = home.messaging.receipts, home.caller("alice")
    await receipts.read(caller, group, seqs[2])
    await do(home, "alice", owns.Unread(group, seqs[3]))  # it is unread already
    assert (await view(home, "alice", group)).own.unread_from is None
    await do(home, "alice", owns.Unread(group, seqs[1]))
    seen = await view(home, "alice", group)
    assert (seen.own.unread_from, seen.unread, seen.read_seq) == (seqs[1], 3, seqs[2])
    await receipts.read(caller, group, seqs[0])
    assert (await view(home, "alice", group)).own.unread_from == seqs[1]
    assert await receipts.read(caller, group, seqs[1]) == seqs[2]
    seen = await view(home, "alice", group)
    assert (seen.own.unread_from, seen.unread, seen.read_seq) == (None, 1, seqs[2])
    assert [kind for kind, _ in await lane(home, "alice")] == ["read", "unread", "read"]


async def test_marking_as_unread_against_reading_leaves_what_the_events_say(home: House) -> None:
    group = await home.group("alice", "bob")
    receipts, caller = home.messaging.receipts, home.caller("alice")
    for _ in range(15):
        seq = (await home.send("bob", group)).seq
        await receipts.read(caller, group, seq)
        await asyncio.gather(
            *(do(home, "alice", owns.Unread(group, seq)) for _ in range(3)),
            *(receipts.read(caller, group, seq) for _ in range(3)),
        )
        last = [kind for kind, _ in await lane(home, "alice") if kind in ("read", "unread")][-1]
        assert ((await view(home, "alice", group)).own.unread_from is not None) == (last == "unread")


async def test_level_and_order_are_kept_apart_from_each_other(home: House) -> None:
    group = await home.group("alice", "bob")
    later = home.messaging._clock() + 3_600_000
    await do(home, "alice", owns.Notify(group, "mentions", later))
    await do(home, "alice", owns.Arrange(group, pinned=True))
    own = (await view(home, "alice", group)).own
    assert (own.level, own.muted_until, own.pinned, own.archived) == ("mentions", later, True, False)
    await do(home, "alice", owns.Notify(group, muted_until=1))  # over already: it is no mute
    own = (await view(home, "alice", group)).own
    assert (own.level, own.muted_until, own.pinned) == ("all", None, True)


async def test_a_place_among_pins_lasts_as_long_as_the_pin(home: House) -> None:
    group = await home.group("alice", "bob")
    for given, kept in ((2, 2), (0, 0), (None, None)):
        await do(home, "alice", owns.Arrange(group, pinned=True, place=given))
        assert (await view(home, "alice", group)).own.place == kept
    await do(home, "alice", owns.Arrange(group, pinned=True, place=2))
    await do(home, "alice", owns.Notify(group, "mentions"))
    assert (await view(home, "alice", group)).own.place == 2
    await do(home, "alice", owns.Arrange(group, archived=True, place=5))
    assert (await view(home, "alice", group)).own.place is None
    assert (await view(home, "bob", group)).own.place is None


async def test_followed_threads_are_listed_with_what_is_unread(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    roots = [(await home.send("alice", group, f"{n}")).seq for n in range(2)]
    write, threads = home.messaging.sender.send, home.messaging.own_lists.threads
    for n, root in enumerate((*roots, roots[0])):
        await write(home.caller("bob"), group, f"r{n}", Text("回复", thread=root))
    page = await threads(home.caller("alice"), None, 10)
    assert [(one.seq, one.unread) for one in page.threads] == [(roots[0], 2), (roots[1], 1)]
    await do(home, "alice", owns.ThreadRead(group, roots[0], page.threads[0].amended.reply_seq if page.threads[0].amended else 0))
    await do(home, "carol", owns.Follow(group, roots[1]))
    assert [one.unread for one in (await threads(home.caller("alice"), None, 10)).threads] == [0, 1]
    assert [(one.seq, one.unread) for one in (await threads(home.caller("carol"), None, 10)).threads] == [(roots[1], 0)]
    page = await threads(home.caller("alice"), page.threads[0].place, 10)
    assert [one.seq for one in page.threads] == [roots[1]]


async def test_who_follows_no_more_is_left_alone_until_they_write_in_it(home: House) -> None:
    group = await home.group("alice", "bob")
    root = (await home.send("alice", group)).seq
    write, threads = home.messaging.sender.send, home.messaging.own_lists.threads
    await write(home.caller("bob"), group, "r1", Text("一", thread=root))
    await do(home, "alice", owns.Unfollow(group, root))
    await write(home.caller("bob"), group, "r2", Text("二", thread=root, mentions=("alice",)))
    assert (await threads(home.caller("alice"), None, 10)).threads == []
    with pytest.raises(NotFound):
        await do(home, "alice", owns.ThreadRead(group, root, root))
    await write(home.caller("alice"), group, "r3", Text("三", thread=root))
    assert [one.unread for one in (await threads(home.caller("alice"), None, 10)).threads] == [0]


async def test_preferences_are_checked_and_kept(home: House) -> None:
    quiet = Quiet("22:00", "07:00", "Asia/Shanghai", (4, 0, 4))
    await do(home, "alice", owns.SetPreferences(Preferences(1, quiet, ("Server", "ＳＥＲＶＥＲ", " 上线 "))))
    kept = await home.messaging.own_lists.preferences(home.caller("alice"))
    assert kept == Preferences(None, Quiet("22:00", "07:00", "Asia/Shanghai", (0, 4)), ("Server", "上线"))
    assert (await home.messaging.conversations.snapshot(home.caller("alice"))).preferences == kept
    for wrong in (Preferences(quiet=Quiet("22:00", "07:00", "Mars/Olympus")), Preferences(keywords=(" ",))):
        with pytest.raises(Invalid):
            await do(home, "alice", owns.SetPreferences(wrong))


async def test_bounds(place: Any) -> None:
    async with house(place, Settings(own=Own(drafts=1, bookmarks=1, hidden=2, follows=1))) as home:
        await home.add("alice", "bob")
        group = await home.group("alice", "bob")
        one, two = [(await home.send("bob", group)).seq for _ in range(2)]
        await do(home, "alice", owns.Draft(group, "一"))
        await do(home, "alice", owns.Draft(group, "二"))
        await do(home, "alice", owns.Bookmark(group, one))
        await do(home, "alice", owns.Hide(group, (one, two)))
        await do(home, "alice", owns.Follow(group, one))
        three = (await home.send("bob", group)).seq
        over: list[owns.Own] = [
            owns.Draft(group, "三", thread=two),
            owns.Bookmark(group, two),
            owns.Hide(group, (three,)),
            owns.Follow(group, two),
        ]
        for own in over:
            with pytest.raises(Conflict):
                await do(home, "alice", own)


def each(conversation: str, seq: int) -> list[owns.Own]:
    """One of each kind that is of a conversation."""
    return [
        owns.Draft(conversation, "写"),
        owns.Draft(conversation),
        owns.Bookmark(conversation, seq),
        owns.Unbookmark(conversation, seq + 1),
        owns.Hide(conversation, (seq,)),
        owns.Unhide(conversation, (seq + 1,)),
        owns.Unread(conversation, seq),
        owns.Notify(conversation, "nothing"),
        owns.Arrange(conversation, archived=True),
        owns.Follow(conversation, seq),
        owns.ThreadRead(conversation, seq, seq),
        owns.Unfollow(conversation, seq),
    ]


async def test_strangers_and_former_members_are_told_that_there_is_nothing(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    seq = (await home.send("alice", group)).seq
    await home.messaging.conversations.remove(home.caller("alice"), group, "carol")
    before = await home.log()
    for user in ("carol", "dave"):
        for own in each(group, seq):
            with pytest.raises(NotFound):
                await do(home, user, own)
    assert await home.log() == before
    for own in each(group, seq):
        await do(home, "bob", own)


async def test_what_is_not_there_or_before_ones_time_is_not_found(home: House) -> None:
    group = await home.group("alice", "bob")
    early = (await home.send("alice", group)).seq
    await home.messaging.conversations.add(home.caller("alice"), group, ["carol"])
    before = await home.log()
    for seq in (early, 1, 999, 2**53 - 1):
        wrong: list[owns.Own] = [
            owns.Bookmark(group, seq),
            owns.Hide(group, (seq,)),
            owns.Follow(group, seq),
            owns.ThreadRead(group, seq, seq),
            owns.Unfollow(group, seq),
            owns.Draft(group, "写", thread=seq),
        ]
        for own in [*wrong, owns.Unread(group, seq)]:
            with pytest.raises(HongyanError) as refused:
                await do(home, "carol", own)
            assert isinstance(refused.value, NotFound), own
    assert await home.log() == before


async def test_a_draft_that_was_changed_or_taken_away_is_nowhere_in_the_log(home: House) -> None:
    group = await home.group("alice", "bob")
    for text in ("秘密一", "秘密二", None):
        await home.messaging.owning.do(home.caller("alice"), owns.Draft(group, text))
    await home.settled()
    assert not any("秘密".encode() in event.content for event in await home.log())
    ring = home.messaging.log.lane_after("user:alice", (Span(1),), 0, 100)
    assert not any("秘密".encode() in entry.json() for entry in ring)
