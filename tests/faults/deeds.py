"""What people do beside sending: they read, and members of a group come and go. Nobody waits for the outcome."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence

from hongyan.client.backoff import Backoff
from tests.e2e.sockets import Foreign, Lost
from tests.faults.doors import Account, Door, another, passes
from tests.faults.follower import Follower
from tests.serving import Refused

_PATIENCE = 30.0
"""A change of members is not given up early: done late, by a node that stood still, it would come after the end of the run."""


async def read(
    account: Account, doors: Sequence[Door], devices: Sequence[Follower], dice: random.Random, stop: asyncio.Event, every: float
) -> None:
    """Read marks, each at what a device was given, on any node."""
    async for _ in _moments(stop, every, dice):
        seqs = {id: seq for device in devices for id, seq in device.seqs.items() if ":" not in id and id != "directory"}
        if seqs:
            id = dice.choice(list(seqs))
            try:
                await dice.choice(doors).call(account, "POST", f"/v1/conversations/{id}/read", {"seq": seqs[id]})
            except (Lost, Foreign, Refused):
                continue


async def change_members(
    owner: Account,
    group: str,
    guests: Sequence[str],
    doors: Sequence[Door],
    dice: random.Random,
    clock: Callable[[], float],
    stop: asyncio.Event,
    every: float,
) -> None:
    """One after the other is removed or added again, by the owner."""
    outside: set[str] = set()
    members = f"/v1/conversations/{group}/members"
    door = dice.choice(doors)
    async for _ in _moments(stop, every, dice):
        guest = dice.choice(guests)
        if guest in outside:
            door = await _persist(door, doors, dice, stop, owner, "POST", members, {"users": [guest]})
            outside.discard(guest)
        else:
            door = await _persist(door, doors, dice, stop, owner, "DELETE", f"{members}/{guest}")
            outside.add(guest)


async def _persist(
    door: Door,
    doors: Sequence[Door],
    dice: random.Random,
    stop: asyncio.Event,
    account: Account,
    method: str,
    path: str,
    body: object = None,
) -> Door:
    """Ask one node after the other until one decides; which it was."""
    backoff = Backoff(0.05, 1.0, dice.random)
    while not stop.is_set():
        try:
            await door.call(account, method, path, body, seconds=_PATIENCE)
            return door
        except (Lost, Foreign, Refused) as error:
            if not passes(error):
                return door
        await asyncio.sleep(backoff.next())
        door = another(doors, door, dice)
    return door


async def _moments(stop: asyncio.Event, every: float, dice: random.Random) -> AsyncIterator[None]:
    """Random moments, `every` so many seconds on average, until `stop` is set."""
    while True:
        try:
            async with asyncio.timeout(every * 2 * dice.random()):
                await stop.wait()
            return
        except TimeoutError:
            yield None
