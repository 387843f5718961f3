import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from hongyan.config import Settings
from hongyan.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from hongyan.core.model import Role
from tests.build import House, house


async def roles(home: House, conversation: str, seen_by: str) -> dict[str, Role]:
    found = await home.messaging.conversations.get(home.caller(seen_by), conversation)
    return {member.id: member.role for member in found.members or []}


async def test_direct_conversation_is_found_again_from_both_sides(home: House) -> None:
    conversations = home.messaging.conversations
    made, new = await conversations.create_direct(home.caller("alice"), "bob")
    again, newer = await conversations.create_direct(home.caller("bob"), "alice")
    assert (made.id, new, newer) == (again.id, True, False)
    assert {member.id for member in made.members or []} == {"alice", "bob"}


async def test_direct_conversation_made_by_both_at_once_is_one(home: House) -> None:
    conversations = home.messaging.conversations
    made = await asyncio.gather(
        *(conversations.create_direct(home.caller(mine), other) for mine, other in [("alice", "bob"), ("bob", "alice")] * 10)
    )
    assert len({view.id for view, _ in made}) == 1
    assert sum(new for _, new in made) == 1


async def test_direct_conversation_needs_somebody_else_who_exists(home: House) -> None:
    with pytest.raises(Invalid):
        await home.messaging.conversations.create_direct(home.caller("alice"), "alice")
    with pytest.raises(NotFound):
        await home.messaging.conversations.create_direct(home.caller("alice"), "nobody")


async def test_direct_conversation_has_no_settings_and_cannot_be_left(home: House) -> None:
    conversations = home.messaging.conversations
    alice = home.caller("alice")
    direct, _ = await conversations.create_direct(alice, "bob")
    for refused in (
        conversations.change(alice, direct.id, "ours", None),
        conversations.add(alice, direct.id, ["carol"]),
        conversations.remove(alice, direct.id, "alice"),
        conversations.set_role(alice, direct.id, "bob", "admin"),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert (await conversations.get(alice, direct.id)).member_count == 2


async def test_group_begins_with_its_maker_as_owner(home: House) -> None:
    group = await home.group("alice", "bob")
    assert await roles(home, group, "alice") == {"alice": "owner", "bob": "member"}


async def test_group_with_somebody_who_does_not_exist_is_not_made(home: House) -> None:
    before = len(await home.log())
    with pytest.raises(NotFound):
        await home.group("alice", "bob", "nobody")
    assert len(await home.log()) == before


@pytest.mark.parametrize("title", ["", "  ", "a\0b", "a\u202eb"])
async def test_title_that_is_none_is_refused(home: House, title: str) -> None:
    with pytest.raises(Invalid):
        await home.messaging.conversations.create_group(home.caller("alice"), title, [])


async def test_rights_of_each_role(home: House) -> None:
    conversations = home.messaging.conversations
    group = await home.group("alice", "bob", "carol")
    await conversations.set_role(home.caller("alice"), group, "bob", "admin")
    carol, bob, dave = home.caller("carol"), home.caller("bob"), home.caller("dave")

    with pytest.raises(Forbidden):
        await conversations.change(carol, group, "by a member", None)
    assert (await conversations.change(bob, group, "by an admin", None)).title == "by an admin"
    with pytest.raises(Forbidden):
        await conversations.remove(carol, group, "bob")
    with pytest.raises(Forbidden):
        await conversations.remove(bob, group, "alice")
    with pytest.raises(Forbidden):
        await conversations.set_role(bob, group, "carol", "admin")
    for stranger in (
        conversations.get(dave, group),
        conversations.change(dave, group, "x", None),
        conversations.add(dave, group, ["dave"]),
        conversations.remove(dave, group, "bob"),
        conversations.set_role(dave, group, "dave", "owner"),
        conversations.members(dave, group, None, 10),
        home.messaging.history.page(dave, group, limit=10),
        home.messaging.receipts.read(dave, group, 1),
        home.messaging.presence.typing(dave, group, True),
    ):
        with pytest.raises(NotFound):
            await stranger
    await conversations.remove(bob, group, "carol")
    assert await roles(home, group, "alice") == {"alice": "owner", "bob": "admin"}


async def test_owner_hands_over_and_becomes_admin(home: House) -> None:
    conversations = home.messaging.conversations
    group = await home.group("alice", "bob")
    with pytest.raises(Conflict):
        await conversations.set_role(home.caller("alice"), group, "alice", "member")
    await conversations.set_role(home.caller("alice"), group, "bob", "owner")
    assert await roles(home, group, "bob") == {"alice": "admin", "bob": "owner"}


async def test_owner_who_leaves_is_succeeded_by_the_longest_serving_admin(home: House) -> None:
    conversations = home.messaging.conversations
    group = await home.group("alice", "bob", "carol", "dave")
    await conversations.set_role(home.caller("alice"), group, "dave", "admin")
    reader = await home.reader("bob")
    await conversations.remove(home.caller("alice"), group, "alice")
    assert await roles(home, group, "bob") == {"bob": "member", "carol": "member", "dave": "owner"}
    event = (await reader.wait_for(1, "member"))[0]
    assert b'"owner":"dave"' in event.content


async def test_last_one_to_leave_leaves_an_empty_group(home: House) -> None:
    group = await home.group("alice")
    await home.messaging.conversations.remove(home.caller("alice"), group, "alice")
    with pytest.raises(NotFound):
        await home.messaging.conversations.get(home.caller("alice"), group)


async def test_adding_somebody_who_is_in_it_changes_nothing(home: House) -> None:
    group = await home.group("alice", "bob")
    before = len(await home.log())
    await home.messaging.conversations.add(home.caller("alice"), group, ["bob"])
    assert len(await home.log()) == before


async def test_history_policy_decides_what_newcomers_may_read(home: House) -> None:
    conversations, history = home.messaging.conversations, home.messaging.history
    carol = home.caller("carol")
    for policy, wanted in (("joined", []), ("all", ["before"])):
        group = await home.group("alice", "bob", history=policy)
        await home.send("alice", group, "before")
        view = await conversations.add(home.caller("alice"), group, ["carol"])
        page = await history.page(carol, group, limit=10)
        assert [b"before" in entry.event.content for entry in page.entries if entry.event.type == "message"] == [True] * len(
            wanted
        )
        assert not page.more
        assert (await conversations.get(carol, group)).unread == 0
        assert view.member_count == 3


async def test_who_comes_back_reads_from_the_second_time_on(home: House) -> None:
    conversations, history = home.messaging.conversations, home.messaging.history
    group = await home.group("alice", "carol")
    await home.send("alice", group, "first time")
    await conversations.remove(home.caller("carol"), group, "carol")
    await home.send("alice", group, "while away")
    await conversations.add(home.caller("alice"), group, ["carol"])
    page = await history.page(home.caller("carol"), group, limit=10)
    assert [entry.event.type for entry in page.entries] == ["member"]
    reader = await home.reader("carol", f"{home.store.epoch}.0")
    await reader.caught_up()
    assert reader.texts() == ["first time"]


async def test_history_by_range_both_ways(home: House) -> None:
    group = await home.group("alice", "bob")
    for number in range(10):
        await home.send("alice", group, str(number))
    page = home.messaging.history.page
    alice = home.caller("alice")

    async def seqs(**range_: int) -> tuple[list[int], bool]:
        found = await page(alice, group, **range_)  # type: ignore[arg-type]
        return [entry.event.seq for entry in found.entries], found.more

    assert await seqs(limit=3) == ([9, 10, 11], True)
    assert await seqs(before=9, limit=3) == ([6, 7, 8], True)
    assert await seqs(before=3, limit=3) == ([1, 2], False)
    assert await seqs(after=9, limit=3) == ([10, 11], False)
    assert await seqs(after=0, limit=2) == ([1, 2], True)
    assert await seqs(before=1, limit=5) == ([], False)
    assert await seqs(after=99, limit=5) == ([], False)
    with pytest.raises(Invalid):
        await seqs(before=5, after=1, limit=5)


async def test_members_come_in_pages(home: House) -> None:
    conversations = home.messaging.conversations
    first, more = await conversations.members(home.caller("alice"), "lobby", None, 3)
    rest, no_more = await conversations.members(home.caller("alice"), "lobby", first[-1].id, 3)
    assert [member.id for member in [*first, *rest]] == ["alice", "bob", "carol", "dave"]
    assert (more, no_more) == (True, False)


async def test_members_of_one_role(home: House) -> None:
    conversations = home.messaging.conversations
    alice = home.caller("alice")
    group = (await conversations.create_group(alice, "茶", ["bob", "carol"])).id
    for role, ids in (("owner", ["alice"]), ("admin", []), ("member", ["bob", "carol"])):
        found, more = await conversations.members(alice, group, None, 10, role=role)
        assert ([member.id for member in found], more) == (ids, False)


async def test_large_conversation_lists_no_members_and_counts_them(home: House) -> None:
    await home.add(*(f"user{number:03}" for number in range(120)))
    lobby = await home.messaging.conversations.get(home.caller("alice"), "lobby")
    assert (lobby.member_count, lobby.members) == (124, None)


async def test_limits_of_members_and_conversations(tmp_path: Path) -> None:
    limits = replace(Settings().limits, members=3, members_per_call=3, conversations_per_user=2)
    async with house(tmp_path / "data", Settings(limits=limits)) as home:
        await home.add("alice", "bob", "carol", "dave")
        conversations = home.messaging.conversations
        with pytest.raises(TooLarge):
            await home.group("alice", "bob", "carol", "dave", "erin")
        group = await home.group("alice", "bob", "carol")
        with pytest.raises(TooLarge):
            await conversations.add(home.caller("alice"), group, ["dave"])
        with pytest.raises(Conflict):
            await home.group("dave", "alice")


async def test_read_mark_never_goes_back_and_moves_other_devices(home: House) -> None:
    group = await home.group("alice", "bob")
    for _ in range(4):
        await home.send("alice", group)
    device = await home.reader("bob")
    read, bob = home.messaging.receipts.read, home.caller("bob")
    assert await read(bob, group, 4) == 4
    assert await read(bob, group, 2) == 4
    view = await home.messaging.conversations.get(bob, group)
    assert (view.read_seq, view.unread, view.head_seq) == (4, 1, 5)
    events = await device.wait_for(1, "read")
    assert b'"seq":4' in events[0].content
    with pytest.raises(Invalid):
        await read(bob, group, 6)


async def test_own_messages_are_not_unread(home: House) -> None:
    group = await home.group("alice", "bob")
    await home.send("alice", group)
    await home.send("bob", group)
    unread = [(await home.messaging.conversations.get(home.caller(user), group)).unread for user in ("alice", "bob")]
    assert unread == [1, 1]


async def test_unread_is_counted_up_to_its_bound(home: House) -> None:
    group = await home.group("alice", "bob")
    await asyncio.gather(*(home.send("alice", group) for _ in range(1100)))
    assert (await home.messaging.conversations.get(home.caller("bob"), group)).unread == 1000


async def test_read_marks_of_others_come_as_signals(home: House) -> None:
    group = await home.group("alice", "bob")
    await home.send("alice", group)
    reader = await home.reader("alice")
    await home.messaging.receipts.read(home.caller("bob"), group, 2)
    async with asyncio.timeout(5):
        while not (marks := [signal for signal in reader.signals if signal["type"] == "read"]):
            await asyncio.sleep(0.01)
    assert marks == [{"type": "read", "conversation": group, "user": "bob", "seq": 2}]


async def test_people_are_found_by_prefix_of_id_or_name(home: House) -> None:
    people = home.messaging.people
    await people.rename("bob", "李华", 1)
    assert [user.id for user in await people.search("李", 10)] == ["bob"]
    assert [user.id for user in await people.search("CAR", 10)] == ["carol"]
    assert await people.search("%", 10) == []
    assert await people.search("_", 10) == []
    assert len(await people.search("", 2)) == 2


async def test_changed_name_reaches_everybody(home: House) -> None:
    reader = await home.reader("dave")
    await home.messaging.people.rename("bob", "李华", 1)
    events = await reader.wait_for(1, "profile")
    assert events[0].lane == "directory"
    with pytest.raises(NotFound):
        await home.messaging.people.rename("nobody", "x", 1)


async def test_a_channel_is_found_and_joined_by_anybody_and_shows_what_was_before(home: House) -> None:
    service = home.messaging.conversations
    channel = await service.create_group(home.caller("alice"), "公告", [], "all", channel=True, topic="公司新闻")
    await home.send("alice", channel.id, "第一条")
    found, more = await service.channels(home.caller("bob"), "公", "", 10)
    assert [(one.title, one.topic, one.member_count, one.joined) for one in found] == [("公告", "公司新闻", 1, False)]
    assert not more
    view = await service.join(home.caller("bob"), channel.id)
    assert (view.role, view.first_seq, view.kind) == ("member", 1, "channel")
    assert (await service.join(home.caller("bob"), channel.id)).member_count == 2
    assert (await service.channels(home.caller("bob"), "", "", 10))[0][0].joined
    await home.send("bob", channel.id, "收到")


async def test_nobody_joins_a_group_by_its_id(home: House) -> None:
    group = await home.group("alice", "bob")
    direct, _ = await home.messaging.conversations.create_direct(home.caller("alice"), "bob")
    for conversation in (group, direct.id, "nothing"):
        with pytest.raises(NotFound):
            await home.messaging.conversations.join(home.caller("carol"), conversation)
    assert await home.messaging.conversations.channels(home.caller("carol"), "", "", 10) == ([], False)


async def test_who_joins_an_empty_channel_owns_it_and_nobody_joins_an_archived_one(home: House) -> None:
    service = home.messaging.conversations
    channel = await service.create_group(home.caller("alice"), "兴趣", [], channel=True)
    await service.remove(home.caller("alice"), channel.id, "alice")
    assert (await service.join(home.caller("bob"), channel.id)).role == "owner"
    await service.change(home.caller("bob"), channel.id, writers="nobody")
    with pytest.raises(Conflict):
        await service.join(home.caller("carol"), channel.id)


async def test_the_directory_of_channels_comes_in_pages_without_a_gap(home: House) -> None:
    service = home.messaging.conversations
    made = [await service.create_group(home.caller("alice"), title, [], channel=True) for title in ("乙", "甲", "乙", "丙_%")]
    seen: list[str] = []
    after, more = "", True
    while more:
        page, more = await service.channels(home.caller("bob"), "", after, 1)
        seen += [one.id for one in page]
        after = seen[-1]
    assert sorted(seen) == sorted(one.id for one in made)
    assert [one.title for one in (await service.channels(home.caller("bob"), "_%", "", 9))[0]] == ["丙_%"]


async def test_a_topic_is_set_and_taken_away(home: House) -> None:
    group = await home.group("alice", "bob")
    change = home.messaging.conversations.change
    assert (await change(home.caller("alice"), group, topic="本周计划")).topic == "本周计划"
    assert (await change(home.caller("alice"), group, topic="")).topic is None
    with pytest.raises(Forbidden):
        await change(home.caller("bob"), group, topic="别的")
