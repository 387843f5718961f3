"""Acts on messages: what becomes of the message, what readers are told, and who may."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from hongyan.client.model import Event as Seen
from hongyan.config import Messages, Settings
from hongyan.core import acts
from hongyan.core.amending import Amended, amend, target
from hongyan.core.content import ADMINS, ALL, RECALLED, Content, Forward, Poll, Text
from hongyan.core.errors import ClientIdReused, Conflict, Forbidden, Invalid, NotFound, TooLarge
from hongyan.core.model import Event
from hongyan.messaging.tables import recalls
from hongyan.store import Appended
from tests.build import House, house


async def act(home: House, user: str, conversation: str, what: acts.Act, client_id: str | None = None) -> Appended:
    placed = await home.messaging.acts.act(home.caller(user), conversation, what, client_id)
    await home.settled()
    return placed


async def write(home: House, user: str, conversation: str, content: Content, client_id: str = "") -> int:
    chosen = client_id or f"w{random.random()}"
    placed = await home.messaging.sender.send(home.caller(user), conversation, chosen, content)
    await home.settled()
    return placed.seq


async def state(home: House, user: str, conversation: str, seq: int) -> Amended:
    page = await home.messaging.history.message(home.caller(user), conversation, seq)
    return page.amended[0] if page.amended else Amended(seq)


async def content(home: House, user: str, conversation: str, seq: int) -> dict[str, Any]:
    page = await home.messaging.history.message(home.caller(user), conversation, seq)
    found: dict[str, Any] = msgspec.json.decode(page.entries[0].event.content)
    return found


def seen(events: Sequence[Event]) -> list[Seen]:
    return [Seen(f"e.{e.position}", e.lane, e.seq, e.type, e.sender, e.time, msgspec.json.decode(e.content)) for e in events]


async def test_edited_text_is_shown_and_what_it_said_before_can_be_read(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group, "明天见")).seq
    await act(home, "alice", group, acts.Edit(seq, "后天见"))
    await act(home, "alice", group, acts.Edit(seq, "大后天见"))
    now = await state(home, "bob", group, seq)
    assert (now.text, now.edits) == ("大后天见", 2)
    page = await home.messaging.history.edits(home.caller("bob"), group, seq, 0, 100)
    assert [msgspec.json.decode(entry.event.content)["text"] for entry in page.entries] == ["明天见", "后天见", "大后天见"]


async def test_recalled_text_is_nowhere_in_the_log_nor_in_memory(home: House) -> None:
    group = await home.group("alice", "bob")
    before = home.messaging.log.cursor()
    seq = (await home.send("alice", group, "秘密一")).seq
    await act(home, "alice", group, acts.Edit(seq, "秘密二"))
    await act(home, "alice", group, acts.Recall(seq))
    assert not any("秘密".encode() in event.content for event in await home.log())
    reader = await home.reader("bob", before)
    await reader.wait_for(1, "recall")
    events = [event for event in reader.events if event.lane == group]
    assert [event.type for event in events] == ["message", "edit", "recall"]
    assert [event.content for event in events[:2]] == [RECALLED, RECALLED]
    now = await state(home, "bob", group, seq)
    assert (now.recalled is not None and now.recalled.user, now.text, now.edits) == ("alice", None, 0)


async def test_a_reader_who_has_not_taken_a_message_yet_is_not_given_it_after_the_recall(home: House) -> None:
    group = await home.group("alice", "bob")
    session = await home.messaging.sessions.open(home.caller("bob"), "websocket", None, lambda: None, lambda verdict: None)
    seq = (await home.send("alice", group, "秘密")).seq
    await act(home, "alice", group, acts.Recall(seq))
    chunk = session.take()
    assert chunk is not None
    assert chunk.entries[0].event.content == RECALLED
    assert "秘密".encode() not in b"".join(entry.json() for entry in chunk.entries)
    session.close()


async def test_the_author_may_read_what_was_taken_back_and_nobody_else(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group, "写错了")).seq
    await act(home, "alice", group, acts.Edit(seq, "又写错了"))
    await act(home, "alice", group, acts.Recall(seq))
    kept = await home.messaging.acts.recalled_content(home.caller("alice"), group, seq)
    assert msgspec.json.decode(kept)["text"] == "又写错了"
    for user in ("bob", "carol"):
        with pytest.raises(NotFound):
            await home.messaging.acts.recalled_content(home.caller(user), group, seq)


async def test_reactions_are_counted_once_for_each_person(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    seq = (await home.send("alice", group)).seq
    first = await act(home, "bob", group, acts.React(seq, "👍"))
    again = await act(home, "bob", group, acts.React(seq, "👍"))
    assert again.position == first.position
    await act(home, "carol", group, acts.React(seq, "👍"))
    await act(home, "carol", group, acts.React(seq, "🎉"))
    now = await state(home, "bob", group, seq)
    assert {key: (tally.count, tally.mine) for key, tally in now.reactions.items()} == {"👍": (2, True), "🎉": (1, False)}
    who = await home.messaging.who.responded(home.caller("alice"), group, seq, "react", "👍", "", 10)
    assert [user.id for user in who.users] == ["bob", "carol"]
    await act(home, "bob", group, acts.Unreact(seq, "👍"))
    assert (await state(home, "bob", group, seq)).reactions["👍"].count == 1
    with pytest.raises(Conflict):
        await act(home, "bob", group, acts.Unreact(seq, "👍"))


async def test_the_same_reaction_twenty_times_at_once_is_one(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group)).seq
    placed = await asyncio.gather(*(act(home, "bob", group, acts.React(seq, "👍")) for _ in range(20)))
    assert len({one.position for one in placed}) == 1
    assert sum(event.type == "react" for event in await home.log()) == 1


async def test_words_are_no_reaction(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group)).seq
    for word in ("好", "ok", "<b>", "👍👍", " "):
        with pytest.raises(Invalid):
            await act(home, "bob", group, acts.React(seq, word))


async def test_votes_can_be_changed_until_the_poll_is_closed(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    seq = await write(home, "alice", group, Poll("吃什么？", ("米饭", "面条")))
    await act(home, "bob", group, acts.Vote(seq, (0,)))
    await act(home, "bob", group, acts.Vote(seq, (1,)))
    await act(home, "carol", group, acts.Vote(seq, (1,)))
    now = await state(home, "bob", group, seq)
    assert {key: (tally.count, tally.mine) for key, tally in now.votes.items()} == {"1": (2, True)}
    with pytest.raises(Invalid):
        await act(home, "bob", group, acts.Vote(seq, (0, 1)))
    with pytest.raises(Invalid):
        await act(home, "bob", group, acts.Vote(seq, (2,)))
    with pytest.raises(Forbidden):
        await act(home, "bob", group, acts.Close(seq))
    await act(home, "alice", group, acts.Close(seq))
    with pytest.raises(Conflict):
        await act(home, "bob", group, acts.Vote(seq, ()))


async def test_pins_are_listed_and_taken_down(home: House) -> None:
    group = await home.group("alice", "bob")
    one, two = [(await home.send("alice", group, text)).seq for text in ("一", "二")]
    await act(home, "bob", group, acts.Pin(two))
    await act(home, "alice", group, acts.Pin(one))
    again = await act(home, "alice", group, acts.Pin(one))
    assert again.repeated
    page = await home.messaging.history.pinned(home.caller("bob"), group, 0, 100)
    assert [entry.event.seq for entry in page.entries] == [one, two]
    await act(home, "alice", group, acts.Unpin(two))
    page = await home.messaging.history.pinned(home.caller("bob"), group, 0, 100)
    assert [entry.event.seq for entry in page.entries] == [one]


async def test_a_thread_does_not_count_in_the_conversation_and_has_its_own_page(home: House) -> None:
    group = await home.group("alice", "bob")
    root = (await home.send("alice", group, "方案")).seq
    replies = [await write(home, "bob", group, Text(f"意见 {n}", thread=root)) for n in range(3)]
    view = await home.messaging.conversations.get(home.caller("alice"), group)
    assert (view.unread, view.last and view.last.seq, view.amended and view.amended.replies) == (0, root, 3)
    page = await home.messaging.history.thread(home.caller("alice"), group, root, replies[0], 1)
    assert ([entry.event.seq for entry in page.entries], page.more) == ([replies[1]], True)
    with pytest.raises(Invalid):
        await write(home, "alice", group, Text("再深一层", thread=replies[0]))


async def test_mentions_are_counted_until_they_are_read(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    await write(home, "alice", group, Text("看这里", mentions=("bob",)))
    await write(home, "alice", group, Text("都看这里", mentions=(ALL,)))
    last = await write(home, "carol", group, Text("管理员", mentions=(ADMINS,)))

    async def mentioned(user: str) -> int:
        return (await home.messaging.conversations.get(home.caller(user), group)).mentioned

    assert [await mentioned(user) for user in ("alice", "bob", "carol")] == [1, 2, 1]
    await home.messaging.receipts.read(home.caller("bob"), group, last)
    assert await mentioned("bob") == 0


async def test_only_admins_mention_everybody_and_nobody_mentions_strangers(home: House) -> None:
    group = await home.group("alice", "bob")
    with pytest.raises(Forbidden):
        await write(home, "bob", group, Text("大家好", mentions=(ALL,)))
    with pytest.raises(Invalid):
        await write(home, "bob", group, Text("大家好", mentions=("carol",)))


async def test_a_quoted_message_must_be_one_that_can_be_read(home: House) -> None:
    group = await home.group("alice", "bob")
    hidden = (await home.send("alice", group)).seq
    await home.messaging.conversations.add(home.caller("alice"), group, ["carol"])
    assert await write(home, "bob", group, Text("同意", reply=hidden)) > hidden
    for seq in (hidden, 1, 999, 2**53 - 1):
        with pytest.raises(NotFound):
            await write(home, "carol", group, Text("同意", reply=seq))


async def test_forwarded_messages_say_what_they_say_now_and_only_readers_forward_them(home: House) -> None:
    source, aim = await home.group("alice", "bob"), await home.group("bob", "carol")
    one, two = [(await home.send("alice", source, text)).seq for text in ("一", "二")]
    await act(home, "alice", source, acts.Edit(one, "壹"))
    seq = await write(home, "bob", aim, Forward(source, (two, one), "请看"))
    bundle = await content(home, "carol", aim, seq)
    assert [item["content"]["text"] for item in bundle["items"]] == ["壹", "二"]
    assert (bundle["text"], bundle["title"], bundle["items"][0]["sender"]) == ("请看", "项目组", "alice")
    with pytest.raises(NotFound):
        await write(home, "carol", aim, Forward(source, (one,)))
    await act(home, "alice", source, acts.Recall(two))
    with pytest.raises(NotFound):
        await write(home, "bob", aim, Forward(source, (two,)))


async def test_a_forwarded_text_that_was_edited_is_no_file_any_more(home: House) -> None:
    source, aim = await home.group("alice", "bob"), await home.group("bob", "carol")
    address = "https://a.example/x.pdf"
    one, two = [await write(home, "alice", source, Text(address, oob=True)) for _ in range(2)]
    await act(home, "alice", source, acts.Edit(one, f"看 {address}"))
    seq = await write(home, "bob", aim, Forward(source, (one, two)))
    said = [item["content"] for item in (await content(home, "carol", aim, seq))["items"]]
    assert said == [{"type": "text", "text": f"看 {address}"}, {"type": "text", "text": address, "oob": True}]


async def test_retry_of_a_message_with_mentions_is_one(home: House) -> None:
    group = await home.group("alice", "bob")
    one = await write(home, "alice", group, Text("看", mentions=("bob",)), "same")
    again = await write(home, "alice", group, Text("看", mentions=("bob",)), "same")
    assert one == again
    assert (await home.messaging.conversations.get(home.caller("bob"), group)).mentioned == 1


async def test_retry_of_an_act_is_one(home: House) -> None:
    group, other = await home.group("alice", "bob"), await home.group("alice", "bob")
    seq = (await home.send("alice", group)).seq
    first = await act(home, "alice", group, acts.Edit(seq, "改"), "same")
    again = await act(home, "alice", group, acts.Edit(seq, "改"), "same")
    assert again.position == first.position
    assert (await state(home, "bob", group, seq)).edits == 1
    there = (await home.send("alice", other)).seq
    with pytest.raises(ClientIdReused):
        await act(home, "alice", other, acts.Edit(there, "改"), "same")


async def test_edit_against_recall_leaves_no_text(home: House) -> None:
    for _ in range(10):
        group = await home.group("alice", "bob")
        seq = (await home.send("alice", group, "原文")).seq
        outcomes = await asyncio.gather(
            *(act(home, "alice", group, acts.Edit(seq, f"改 {n}")) for n in range(3)),
            act(home, "alice", group, acts.Recall(seq)),
            act(home, "alice", group, acts.Edit(seq, "改后")),
            return_exceptions=True,
        )
        assert all(isinstance(one, Appended | Conflict) for one in outcomes)
        now = await state(home, "bob", group, seq)
        assert now.recalled is not None
        assert now.text is None
        texts = [event for event in await home.log() if event.lane == group and "改".encode() in event.content]
        assert texts == []


async def test_nothing_is_done_to_what_is_no_message(home: House) -> None:
    group = await home.group("alice", "bob")
    for seq in (1, 2, 99, 2**53 - 1):
        with pytest.raises(NotFound):
            await act(home, "alice", group, acts.React(seq, "👍"))


async def test_who_has_read_and_who_has_not(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    seq = (await home.send("alice", group)).seq
    await home.messaging.receipts.read(home.caller("bob"), group, seq)
    have = await home.messaging.who.read(home.caller("alice"), group, seq, "", 10, have=True)
    not_yet = await home.messaging.who.read(home.caller("alice"), group, seq, "", 10, have=False)
    assert ([user.id for user in have.users], [user.id for user in not_yet.users]) == (["bob"], ["carol"])
    with pytest.raises(NotFound):
        await home.messaging.who.read(home.caller("dave"), group, seq, "", 10, have=True)


@pytest.mark.parametrize("seed", range(6))
async def test_a_page_and_the_events_since_are_the_page_of_later(home: House, seed: int) -> None:
    """Rule 10 for everything that is done to messages."""
    dice = random.Random(seed)
    people = ["alice", "bob", "carol"]
    group = await home.group(*people)
    pages: list[tuple[str, dict[int, Amended], int]] = []
    for _ in range(60):
        user = dice.choice(people)
        page = await home.messaging.history.page(home.caller(user), group, limit=200)
        messages = [entry.event.seq for entry in page.entries if entry.event.type == "message"]
        if not messages or dice.random() < 0.2:
            await write(home, user, group, dice.choice([Text("说"), Poll("问？", ("甲", "乙", "丙"), multiple=True)]))
            continue
        if dice.random() < 0.2:
            pages.append((user, {one.seq: one for one in page.amended}, page.entries[-1].event.seq))
        seq = dice.choice(messages)
        what = dice.choice(
            [
                acts.Edit(seq, f"改 {dice.random()}"),
                acts.React(seq, dice.choice("👍🎉😀")),
                acts.Unreact(seq, dice.choice("👍🎉😀")),
                acts.Vote(seq, tuple(sorted(dice.sample(range(3), dice.randrange(4))))),
                acts.Pin(seq),
                acts.Unpin(seq),
                acts.Close(seq),
                acts.Recall(seq) if dice.random() < 0.2 else acts.Pin(seq),
            ]
        )
        try:
            if dice.random() < 0.1:
                await write(home, user, group, Text("线", thread=seq))
            else:
                await act(home, user, group, what)
        except (Forbidden, Conflict, Invalid):
            pass
    everything = seen([event for event in await home.log() if event.lane == group])
    assert pages
    for user, states, upto in pages:
        for event in everything:
            seq = target(event)
            if event.seq > upto and seq is not None:
                states[seq] = amend(states.get(seq, Amended(seq)), event, user)
        now = await home.messaging.history.page(home.caller(user), group, limit=200)
        assert states == {one.seq: one for one in now.amended}


Everybody = {"stranger": "dave", "former": "carol", "member": "bob", "author": "erin", "admin": "frank", "owner": "alice"}
MAY: dict[str, set[str]] = {
    "edit": {"author"},
    "recall": {"author", "admin", "owner"},
    "react": {"member", "author", "admin", "owner"},
    "pin": {"member", "author", "admin", "owner"},
    "vote": {"member", "author", "admin", "owner"},
    "close": {"author", "admin", "owner"},
}


@pytest.mark.parametrize("deed", MAY)
async def test_rights_of_each_act(home: House, deed: str) -> None:
    await home.add("erin", "frank")
    group = await home.group("alice", "bob", "carol", "erin", "frank", history="all")
    conversations = home.messaging.conversations
    await conversations.set_role(home.caller("alice"), group, "frank", "admin")
    for who, user in Everybody.items():
        poll = deed in ("vote", "close")
        seq = await write(home, "erin", group, Poll("问？", ("甲", "乙")) if poll else Text("说"))
        if who == "former":
            await conversations.remove(home.caller("alice"), group, user)
        what = {
            "edit": acts.Edit(seq, "改"),
            "recall": acts.Recall(seq),
            "react": acts.React(seq, "👍"),
            "pin": acts.Pin(seq),
            "vote": acts.Vote(seq, (1,)),
            "close": acts.Close(seq),
        }[deed]
        before = await home.log()
        if who in MAY[deed]:
            await act(home, user, group, what)
        else:
            with pytest.raises(NotFound if who in ("stranger", "former") else Forbidden):
                await act(home, user, group, what)
            assert await home.log() == before


async def test_where_only_admins_write_others_react_and_vote_and_nothing_else(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = await write(home, "alice", group, Poll("来吗？", ("来", "不来")))
    await home.messaging.conversations.change(home.caller("alice"), group, writers="admins")
    await act(home, "bob", group, acts.React(seq, "👍"))
    await act(home, "bob", group, acts.Vote(seq, (0,)))
    for text in (Text("我也说"), Text("带提及", mentions=("alice",))):
        with pytest.raises(Forbidden):
            await write(home, "bob", group, text)
    with pytest.raises(Forbidden):
        await act(home, "bob", group, acts.Pin(seq))
    assert await write(home, "alice", group, Text("通知")) > seq


async def test_nothing_is_done_in_an_archived_conversation_until_it_is_opened_again(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group)).seq
    await home.messaging.conversations.change(home.caller("alice"), group, writers="nobody")
    for user in ("alice", "bob"):
        with pytest.raises(Conflict):
            await home.send(user, group)
        for what in (acts.React(seq, "👍"), acts.Edit(seq, "改"), acts.Pin(seq)):
            with pytest.raises(Conflict):
                await act(home, user, group, what)
    await home.messaging.conversations.change(home.caller("alice"), group, writers="all")
    assert (await home.send("bob", group)).seq > seq


async def test_nobody_gets_a_message_in_after_it_was_archived(home: House) -> None:
    """The append names the version of who may write, whatever this node still believes."""
    group = await home.group("alice", *("bob", "carol"))
    archived = asyncio.create_task(home.messaging.conversations.change(home.caller("alice"), group, writers="nobody"))
    sends = [asyncio.create_task(home.send("bob", group, f"{n}")) for n in range(200)]
    await archived
    await asyncio.gather(*sends, return_exceptions=True)
    events = [event for event in await home.log() if event.lane == group]
    place = next(event.seq for event in events if event.type == "settings")
    assert all(event.seq < place for event in events if event.type == "message")


async def test_bundles_in_bundles_have_an_end(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group)).seq
    for _ in range(5):
        seq = await write(home, "alice", group, Forward(group, (seq,)))
    with pytest.raises(Invalid):
        await write(home, "alice", group, Forward(group, (seq,)))


async def test_what_was_taken_back_is_swept_and_the_text_is_nowhere(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group, "写错了")).seq
    await act(home, "alice", group, acts.Recall(seq))
    await home.messaging.acts.sweep()
    assert await home.messaging.acts.recalled_content(home.caller("alice"), group, seq)
    later = replace(home.settings, messages=Messages(rewrite_seconds=0.001))
    home.messaging.acts._settings = later
    await asyncio.sleep(0.01)
    await home.messaging.acts.sweep()
    assert await home.store.read(lambda connection: connection.execute(select(recalls)).all()) == []


async def test_an_edit_may_not_be_larger_than_a_message(home: House) -> None:
    group = await home.group("alice", "bob")
    seq = (await home.send("alice", group)).seq
    for text in ("长" * 30_000, "\x01" * 20_000):
        with pytest.raises(TooLarge):
            await act(home, "alice", group, acts.Edit(seq, text))


async def test_a_message_is_edited_so_often_and_no_more(place: Path | str) -> None:
    async with house(place, Settings(messages=Messages(edits=2))) as home:
        await home.add("alice", "bob")
        group = await home.group("alice", "bob")
        seq = (await home.send("alice", group)).seq
        for text in ("一", "二"):
            await act(home, "alice", group, acts.Edit(seq, text))
        with pytest.raises(Conflict):
            await act(home, "alice", group, acts.Edit(seq, "三"))


@pytest.mark.parametrize("seq", [2**63, -(2**63) - 1, 10**23])
async def test_a_number_that_no_event_has_is_not_found(home: House, seq: int) -> None:
    group = await home.group("alice", "bob")
    with pytest.raises(NotFound):
        await home.messaging.acts.recalled_content(home.caller("alice"), group, seq)


async def test_a_retry_gets_the_first_answer_whatever_has_changed_since(home: House) -> None:
    """Who lost the answer cannot know, and must not be made to send it again as another message."""
    conversations = home.messaging.conversations
    group = await home.group("alice", "bob", "carol")
    quoted = (await home.send("alice", group)).seq
    plain = (await home.send("bob", group, "说", "plain")).seq
    answer = await write(home, "bob", group, Text("同意", mentions=("carol",), reply=quoted), "answer")
    reaction = await act(home, "bob", group, acts.React(quoted, "👍"), "reaction")
    await act(home, "alice", group, acts.Recall(quoted))
    await conversations.remove(home.caller("carol"), group, "carol")
    await conversations.change(home.caller("alice"), group, writers="nobody")

    async def again() -> None:
        assert (await home.send("bob", group, "说", "plain")).seq == plain
        assert await write(home, "bob", group, Text("同意", mentions=("carol",), reply=quoted), "answer") == answer
        assert (await act(home, "bob", group, acts.React(quoted, "👍"), "reaction")).seq == reaction.seq

    await again()
    with pytest.raises(Conflict):
        await home.send("bob", group, "新的")
    await conversations.remove(home.caller("alice"), group, "bob")
    await again()
    with pytest.raises(NotFound):
        await home.send("bob", group, "新的")
