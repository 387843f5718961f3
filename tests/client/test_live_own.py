"""The SDK's calls for messages, for oneself and for later, against a real server."""

import time
from functools import reduce

import pytest

from hongyan.client.model import TimerList
from hongyan.core.errors import Forbidden, NotFound

from ..serving import Server
from .live import joined, names, until


async def test_messages_and_what_is_done_to_them(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        seq = (await a.client.send(lane, "一")).seq
        await a.client.edit(lane, seq, "壹", [bob])
        await b.client.react(lane, seq, "👍")
        answer = (await b.client.reply(lane, seq, "好")).seq
        await b.client.reply_in_thread(lane, seq, "细说")
        page = await a.client.message(lane, seq)
        assert (page.amended[0].text, page.amended[0].replies, page.amended[0].reactions["👍"].count) == ("壹", 1, 1)
        assert [event.text for event in (await a.client.thread(lane, seq)).events] == ["细说"]
        assert [event.content["reply"] for event in (await a.client.history(lane)).events if event.seq == answer] == [seq]
        await a.client.pin(lane, seq)
        assert [event.seq for event in (await b.client.pins(lane)).events] == [seq]
        poll = (await a.client.poll(lane, "吃什么？", ["米饭", "面条"])).seq
        await b.client.vote(lane, poll, 1)
        await a.client.close_poll(lane, poll)
        assert (await b.client.readers(lane, seq, have=False)).count >= 0
        other = (await a.client.create_group("别处", [bob])).id
        await a.client.forward(other, lane, [seq], "看")
        await a.client.recall(lane, seq)
        await until(lambda: (one := b.client.state.conversation(lane)) is not None and one.mentioned == 0)


async def test_what_is_ones_own_follows_to_the_other_device(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    one, two, b = await joined(server, ann), await joined(server, ann), await joined(server, bob)
    async with one.client, two.client, b.client:
        lane = (await b.client.create_direct(ann)).id
        seqs = [(await b.client.send(lane, f"{n}")).seq for n in range(3)]

        def seen() -> object:
            found = two.client.state.conversation(lane)
            if found is None:
                return None
            return len(found.own.drafts), found.own.level, found.own.pinned, found.unread, found.last and found.last.seq

        await until(lambda: seen() == (0, "all", False, 3, seqs[2]))
        await one.client.draft(lane, "写")
        await one.client.mute(lane, level="mentions")
        await one.client.arrange(lane, pinned=True)
        await one.client.read(lane, seqs[2])
        await until(lambda: seen() == (1, "mentions", True, 0, seqs[2]))
        await one.client.mark_unread(lane, seqs[1])
        await until(lambda: seen() == (1, "mentions", True, 2, seqs[2]))
        await until(lambda: (found := one.client.state.conversation(lane)) is not None and found.own.unread_from == seqs[1])
        await one.client.read(lane, seqs[2])
        await until(lambda: seen() == (1, "mentions", True, 0, seqs[2]))
        await one.client.hide(lane, seqs[2])
        await until(lambda: seen() == (1, "mentions", True, 0, seqs[1]))
        await one.client.bookmark(lane, seqs[0], "看")
        assert [mark.note for mark in (await two.client.bookmarks()).bookmarks] == ["看"]
        await one.client.say("开会")
        await until(lambda: two.client.state.status_text is not None)
        shown = {person.id: person for person in await b.client.online()}
        assert ann in shown


async def test_messages_for_later_and_reminders(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        seq = (await b.client.send(lane, "记得")).seq
        now = int(time.time() * 1000)
        far = await a.client.schedule(lane, "太晚", now + 3_600_000)
        known = await a.client.timers()
        await a.client.schedule(lane, "晚安", now + 2_000)
        await a.client.remind(lane, seq, now + 2_000, "回他")
        await until(lambda: b.texts(lane)[-1:] == ["晚安"])
        await until(lambda: any(event.type == "reminder" for event in a.events))
        changed = await a.client.change_timer(far.id, text="更晚")
        later = await a.client.timers()
        assert [timer.id for timer in later.timers] == [changed.id]
        await until(lambda: reduce(TimerList.after, a.events, known).timers == later.timers)
        await a.client.cancel_timer(far.id)
        with pytest.raises(NotFound):
            await a.client.cancel_timer(far.id)


async def test_people_are_kept_out_and_let_in_again(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob)
    async with a.client, b.client:
        lane = (await a.client.create_channel("频道", [bob])).id
        await a.client.ban(lane, bob)
        await until(lambda: b.client.state.conversation(lane) is None)
        with pytest.raises(Forbidden):
            await b.client.join(lane)
        assert [(one.id, one.by) for one in await a.client.bans(lane)] == [(bob, ann)]
        await a.client.lift_ban(lane, bob)
        await b.client.join(lane)
        assert await a.client.bans(lane) == []
