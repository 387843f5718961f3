"""Rule 10: snapshot(t0) and the events from t0 to t1 are snapshot(t1), by the fold that our own client uses."""

import asyncio
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
import pytest

from hongyan.client.model import Conversation, Snapshot
from hongyan.client.model import Event as WireEvent
from hongyan.client.state import State
from hongyan.core import acts
from hongyan.core import own as owns
from hongyan.core.content import ADMINS, ALL, Poll, Text
from hongyan.core.errors import HongyanError
from hongyan.core.model import Event
from hongyan.core.preferences import Preferences
from tests.build import House, house

USERS = ["alice", "bob", "carol", "dave"]


async def snapshot(home: House, user: str) -> Snapshot:
    """As it arrives at a client."""
    made = await home.messaging.conversations.snapshot(home.caller(user))
    return msgspec.json.decode(msgspec.json.encode(made), type=Snapshot)


def known(state: State) -> dict[str, Any]:
    found = {}
    for one in state.conversations:
        plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(one, cursor=None))
        if plain["members"] is not None:
            plain["members"] = sorted(plain["members"], key=lambda member: member["id"])
        found[one.id] = plain
    return found


def differing(one: State, other: State) -> dict[str, Any]:
    """What each says of each conversation where they differ."""
    mine, theirs = known(one), known(other)
    found: dict[str, Any] = {id: (id in mine, id in theirs) for id in mine.keys() ^ theirs.keys()}
    for id in mine.keys() & theirs.keys():
        if unlike := {name: (mine[id][name], theirs[id][name]) for name in mine[id] if mine[id][name] != theirs[id][name]}:
            found[id] = unlike
    return found


def folded(first: Snapshot) -> State:
    state = State()
    state.apply_snapshot(first)
    return state


async def act(home: House, dice: random.Random, groups: list[str]) -> None:
    conversations = home.messaging.conversations
    user, other, group = dice.choice(USERS), dice.choice(USERS), dice.choice(groups)
    caller = home.caller(user)
    try:
        match dice.randrange(13):
            case 0 | 1 | 2:
                await write(home, dice, user, group)
            case 3:
                groups.append(await home.group(user, *dice.sample(USERS, 2), history=dice.choice(["joined", "all"])))
            case 4:
                await conversations.add(caller, group, [other])
            case 5:
                await conversations.remove(caller, group, other)
            case 6:
                await conversations.set_role(caller, group, other, dice.choice(["admin", "member", "owner"]))
            case 7:
                await conversations.change(
                    caller,
                    group,
                    f"名字{dice.random()}",
                    dice.choice(["joined", "all", None]),
                    topic=dice.choice(["", "事情", None]),
                    writers=dice.choice(["all", "admins", None, None]),
                )
            case 8:
                await home.messaging.receipts.read(caller, group, dice.randint(1, await head(home, user, group)))
            case 9 | 10:
                seq = await some_message(home, dice, user, group)
                await home.messaging.acts.act(caller, group, dice.choice(on_message(dice, seq)))
            case _:
                seq = await some_message(home, dice, user, group)
                await home.messaging.owning.do(caller, dice.choice(for_oneself(dice, group, seq)))
    except HongyanError:
        pass


async def head(home: House, user: str, group: str) -> int:
    return (await home.messaging.conversations.get(home.caller(user), group)).head_seq


async def some_message(home: House, dice: random.Random, user: str, group: str) -> int:
    """Mostly one of the newest."""
    page = await home.messaging.history.page(home.caller(user), group, limit=dice.choice([3, 30]))
    return dice.choice([entry.event.seq for entry in page.entries if entry.event.type in ("message", "reply")] or [1])


async def write(home: House, dice: random.Random, user: str, group: str) -> None:
    seq = await some_message(home, dice, user, group)
    who = tuple(dice.sample([*USERS, ALL, ADMINS], dice.randrange(3)))
    texts = [Text("话"), Text("看", mentions=who), Text("看", mentions=who), Text("线", thread=seq, mentions=who)]
    content = dice.choice([*texts, Poll("问？", ("甲", "乙"), multiple=True)])
    await home.messaging.sender.send(home.caller(user), group, f"w{dice.random()}", content)


def on_message(dice: random.Random, seq: int) -> list[acts.Act]:
    """One of each kind."""
    who = tuple(dice.sample([*USERS, ALL, ADMINS], dice.randrange(3)))
    emoji = dice.choice("👍🎉")
    votes = tuple(dice.sample(range(2), dice.randrange(3)))
    return [
        acts.Edit(seq, f"改{dice.random()}", who),
        acts.Recall(seq),
        acts.React(seq, emoji),
        acts.Unreact(seq, emoji),
        acts.Pin(seq),
        acts.Unpin(seq),
        acts.Vote(seq, votes),
        acts.Close(seq),
    ]


def for_oneself(dice: random.Random, group: str, seq: int) -> list[owns.Own]:
    """One of each kind."""
    later = dice.choice([None, 9_000_000_000_000])
    return [
        owns.Draft(group, dice.choice([None, "写", "写完"]), thread=dice.choice([None, seq]), reply=dice.choice([None, seq])),
        owns.Bookmark(group, seq),
        owns.Unbookmark(group, seq),
        owns.Hide(group, (seq,)),
        owns.Unhide(group, tuple(range(max(1, seq - 3), seq + 3))),
        owns.Unread(group, seq),
        owns.Notify(group, dice.choice(get_args(owns.Level)), later),
        owns.Arrange(group, dice.random() < 0.5, dice.random() < 0.5, dice.choice([None, 0, 1, 2])),
        owns.ThreadRead(group, seq, seq),
        owns.Follow(group, seq),
        owns.Unfollow(group, seq),
        owns.SetPreferences(Preferences(later, keywords=tuple(dice.sample(["甲", "乙"], dice.randrange(3))))),
        owns.Status(dice.choice(["", "开会", "休假"]), dice.choice([None, "🎉"]), later),
    ]


def test_every_kind_is_tried() -> None:
    dice = random.Random(0)
    assert {msgspec.to_builtins(one)["type"] for one in on_message(dice, 1)} == acts.TYPES
    assert {msgspec.to_builtins(one)["type"] for one in for_oneself(dice, "g", 1)} == owns.TYPES


@pytest.mark.parametrize("seed", range(10))
async def test_snapshot_and_events_are_the_later_snapshot(place: Path | str, seed: int) -> None:
    dice = random.Random(seed)
    async with house(place) as home:
        await home.add(*USERS)
        groups = [await home.group("alice", "bob", "carol")]
        for _ in range(25):
            await act(home, dice, groups)
        first = {user: await snapshot(home, user) for user in USERS}
        watching = {user: await home.reader(user, first[user].cursor) for user in USERS[:2]}
        """They are given everything as it happens; the others come late, when texts have been taken back."""
        for _ in range(90):
            await act(home, dice, groups)
            if dice.random() < 0.1:
                await home.messaging.people.rename(dice.choice(USERS), f"名{dice.randrange(9)}", 1)
        await home.settled()
        for user in USERS:
            state = folded(first[user])
            reader = watching.get(user) or await home.reader(user, first[user].cursor)
            await reader.caught_up()
            for event in reader.events:
                state.apply_event(wire(home, event))
            for wanted in state.to_load:
                view = await home.messaging.conversations.get(home.caller(user), wanted)
                state.apply_conversation(msgspec.json.decode(msgspec.json.encode(view), type=Conversation))
            later = folded(await snapshot(home, user))
            assert differing(state, later) == {}, user
            assert (state.preferences, state.status_text) == (later.preferences, later.status_text)


def wire(home: House, event: Event) -> WireEvent:
    """As it arrives at a client."""
    cursor, content = f"{home.store.epoch}.{event.position}", msgspec.json.decode(event.content)
    return WireEvent(cursor, event.lane, event.seq, event.type, event.sender, event.time, content, event.client_id)


@pytest.mark.parametrize("seed", range(4))
async def test_what_can_be_told_from_events_is_not_asked_for(place: Path | str, seed: int) -> None:
    """The mentions of messages that have come since, and everything that one does for oneself but hiding the last."""
    dice = random.Random(seed)
    async with house(place) as home:
        await home.add(*USERS)
        groups = [await home.group("alice", "bob", "carol")]
        alice = home.caller("alice")
        await home.messaging.receipts.read(alice, groups[0], await head(home, "alice", groups[0]))
        state, reader = folded(first := await snapshot(home, "alice")), await home.reader("alice", first.cursor)
        for _ in range(60):
            user = dice.choice(["alice", "bob", "carol"])
            try:
                if dice.random() < 0.4:
                    await write(home, dice, user, groups[0])
                else:
                    seq = await some_message(home, dice, user, groups[0])
                    await home.messaging.acts.act(home.caller(user), groups[0], dice.choice(on_message(dice, seq)))
            except HongyanError:
                pass
        await reader.caught_up()
        for event in reader.events:
            state.apply_event(wire(home, event))
        assert state.to_load == []
        assert differing(state, folded(await snapshot(home, "alice"))) == {}


async def test_one_user_reads_one_snapshot_at_a_time_and_nobody_else_waits_for_it(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        await home.add("alice", "bob")
        reads, most = 0, 0
        real = home.store.read

        async def counted(fn: Any) -> Any:
            nonlocal reads, most
            reads += 1
            most = max(most, reads)
            try:
                await asyncio.sleep(0)
                return await real(fn)
            finally:
                reads -= 1

        alone = SimpleNamespace(read=counted, epoch=home.store.epoch)  # the log reads the other one now and then
        home.messaging.conversations._store = alone  # type: ignore[assignment]
        await asyncio.gather(*(home.messaging.conversations.snapshot(home.caller("alice")) for _ in range(10)))
        assert most == 1
        await asyncio.gather(*(home.messaging.conversations.snapshot(home.caller(user)) for user in ("alice", "bob")))
        assert most == 2
