"""Rule 10: snapshot(t0) and the events from t0 to t1 are snapshot(t1), by the fold that our own client uses."""

import asyncio
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hongyan.client.model import Conversation, Snapshot
from hongyan.client.model import Event as WireEvent
from hongyan.client.state import State
from hongyan.core.errors import HongyanError
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


def folded(first: Snapshot) -> State:
    state = State()
    state.apply_snapshot(first)
    return state


async def act(home: House, dice: random.Random, groups: list[str]) -> None:
    conversations = home.messaging.conversations
    user, other, group = dice.choice(USERS), dice.choice(USERS), dice.choice(groups)
    caller = home.caller(user)
    try:
        match dice.randrange(9):
            case 0 | 1 | 2:
                await home.send(user, group, "话")
            case 3:
                groups.append(await home.group(user, *dice.sample(USERS, 2), history=dice.choice(["joined", "all"])))
            case 4:
                await conversations.add(caller, group, [other])
            case 5:
                await conversations.remove(caller, group, other)
            case 6:
                await conversations.set_role(caller, group, other, dice.choice(["admin", "member", "owner"]))
            case 7:
                await conversations.change(caller, group, f"名字{dice.random()}", dice.choice(["joined", "all", None]))
            case 8:
                head = (await conversations.get(caller, group)).head_seq
                await home.messaging.receipts.read(caller, group, dice.randint(1, head))
    except HongyanError:
        pass


@pytest.mark.parametrize("seed", range(8))
async def test_snapshot_and_events_are_the_later_snapshot(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with house(tmp_path / "data") as home:
        await home.add(*USERS)
        groups = [await home.group("alice", "bob", "carol")]
        for _ in range(10):
            await act(home, dice, groups)
        first = {user: await snapshot(home, user) for user in USERS}
        for _ in range(40):
            await act(home, dice, groups)
            if dice.random() < 0.1:
                await home.messaging.people.rename(dice.choice(USERS), f"名{dice.randrange(9)}", 1)
        await home.settled()
        for user in USERS:
            state = folded(first[user])
            reader = await home.reader(user, first[user].cursor)
            await reader.caught_up()
            for event in reader.events:
                wire = WireEvent(
                    f"{home.store.epoch}.{event.position}",
                    event.lane,
                    event.seq,
                    event.type,
                    event.sender,
                    event.time,
                    msgspec.json.decode(event.content),
                    event.client_id,
                )
                state.apply_event(wire)
            for wanted in state.to_load:
                view = await home.messaging.conversations.get(home.caller(user), wanted)
                state.apply_conversation(msgspec.json.decode(msgspec.json.encode(view), type=Conversation))
            assert known(state) == known(folded(await snapshot(home, user)))


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

        home.store.read = counted  # type: ignore[method-assign]
        await asyncio.gather(*(home.messaging.conversations.snapshot(home.caller("alice")) for _ in range(10)))
        assert most == 1
        await asyncio.gather(*(home.messaging.conversations.snapshot(home.caller(user)) for user in ("alice", "bob")))
        assert most == 2
