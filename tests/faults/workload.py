"""People who use a cluster while it is being broken, and the history of what they were told.

    async with Workload([node.url for node in nodes], ["ann", "bob", ...], seed=seed) as load:
        await load.acknowledged(200)
        ...                                     # break something, mend it
        await load.acknowledged(200)
        history = await load.drain()            # everything decided, everybody caught up, the log read on all nodes
    assert not (violations := check(history)), report(violations)

The accounts have to be there; no device may be. Whatever goes wrong on the way to a server is borne and noted.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from tests.e2e.devices import TRANSPORTS
from tests.faults import deeds
from tests.faults.doors import Account, Door, insist
from tests.faults.follower import Follower
from tests.faults.history import Conversation, History, Run
from tests.faults.reread import Reread
from tests.faults.sender import Sender
from tests.faults.truth import Truth
from tests.serving import PASSWORD

_LOBBY = "lobby"
_SET_UP_SECONDS = 10.0
_READ_EVERY = 0.5
_MEMBERS_EVERY = 0.7


class Workload:
    """`rate` is messages a second of each person; `restless` how often, in seconds, some device moves without a reason."""

    def __init__(
        self,
        urls: Sequence[str],
        names: Sequence[str],
        *,
        seed: int,
        password: str = PASSWORD,
        rate: float = 10.0,
        restless: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert len(names) >= 4
        self.history = History()
        self.doors = [Door(url) for url in urls]
        self.devices: list[Follower] = []
        self._names = tuple(names)
        self._password = password
        self._rate = rate
        self._restless = restless
        self._clock = clock
        self._seed = seed
        self._dice = random.Random(seed)
        self._people: dict[str, Account] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._begin: dict[str, str] = {}
        """The cursor of each person before anything happened."""
        self._senders: list[Sender] = []
        self._talking: list[asyncio.Task[None]] = []
        self._following: list[asyncio.Task[None]] = []
        self._all: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()
        self._count = 0
        self._changed = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        try:
            await self._set_up()
        except BaseException:
            await self._close()
            raise
        await self._group.__aenter__()
        self._begin_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._all:
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        finally:
            await self._close()

    async def acknowledged(self, count: int, seconds: float = 60.0) -> None:
        """Wait for so many more acknowledgements. Fails after `seconds`."""
        wanted = self._count + count
        await self._until(lambda: self._count >= wanted, seconds, f"{count} more acknowledgements")

    async def moment(self, dice: random.Random, most: int = 200, seconds: float = 5.0) -> None:
        """A random moment: after up to `most` more acknowledgements, and never later than `seconds`."""
        wanted = self._count + dice.randint(1, most)
        try:
            await self._until(lambda: self._count >= wanted, seconds, "a moment")
        except AssertionError:
            return

    async def drain(self, seconds: float = 60.0) -> History:
        """Send nothing new, decide everything, read the log on all nodes, let every device catch up. What does not come about
        within `seconds` is missing in the history, and the checker says so."""
        deadline = self._clock() + seconds
        for sender in self._senders:
            sender.deadline = deadline
        self._stop.set()
        await asyncio.wait(self._talking)
        reread = Reread(self.history, dice=self._dice, clock=self._clock, deadline=deadline)
        mine = {name: [id for id, members in self._members.items() if name in members] for name in self._names}
        everybody = [(door, account) for door in self.doors for account in self._people.values()]
        await asyncio.gather(*(reread.conversations(door, account, mine[account.id]) for door, account in everybody))
        truth = Truth(self.history)
        heads = {person: truth.last(person) for person in self._names}

        def caught_up() -> bool:
            return all(device.at >= heads[device.account.id] for device in self.devices)

        with contextlib.suppress(AssertionError):
            await self._until(caught_up, max(0.0, deadline - self._clock()), "the devices at the head of the log")
        for device in self.devices:
            device.stop()
        await asyncio.wait(self._following)
        await asyncio.gather(*(reread.events(door, account, self._begin[account.id]) for door, account in everybody))
        return self.history

    async def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{what} did not come within {seconds:g} s; so far: {self.history.figures()}") from None

    def _acknowledged(self) -> None:
        self._count += 1
        self._changed.set()

    async def _close(self) -> None:
        for door in self.doors:
            await door.close()

    async def _ask(self, door: Door, account: Account | None, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """While nothing is broken; but a node may be behind."""
        call = partial(door.call, account, method, path, body, **query)
        return await insist(call, dice=self._dice, clock=self._clock, deadline=self._clock() + _SET_UP_SECONDS)

    async def _set_up(self) -> None:
        """Log in, and make the conversations."""
        names = self._names
        for number, name in enumerate(names):
            body = {"username": name, "password": self._password, "device": "faults"}
            told = await self._ask(self.doors[number % len(self.doors)], None, "POST", "/v1/login", body)
            self._people[name] = account = Account(name, told["token"])
            self._begin[name] = (await self._ask(self.doors[0], account, "GET", "/v1/events", limit=1))["cursor"]
        self.history.add(Run(self._seed, tuple(door.name for door in self.doors), names))
        for one, other in zip(names[::2], names[1::2], strict=False):
            await self._converse(one, {"kind": "direct", "members": [other]}, f"{one} and {other}")
        half = names[: len(names) // 2 + 1]
        await self._converse(names[0], {"kind": "group", "title": "all", "members": list(names[1:])})
        await self._converse(names[1], {"kind": "group", "title": "half", "members": list(half[2:] + half[:1]), "history": "all"})
        for policy in ("joined", "all"):
            group = {"kind": "group", "title": f"come and go, {policy}", "members": list(names[1:]), "history": policy}
            await self._converse(names[0], group)
        self._members[_LOBBY] = names
        self.history.add(Conversation(_LOBBY, _LOBBY, names))

    async def _converse(self, owner: str, body: dict[str, Any], title: str = "") -> None:
        made = await self._ask(self._dice.choice(self.doors), self._people[owner], "POST", "/v1/conversations", body)
        self._members[made["id"]] = owner, *body["members"]
        self.history.add(Conversation(made["id"], title or body["title"], self._members[made["id"]]))

    def _begin_all(self) -> None:
        for number, person in enumerate(self._names):
            dice, account = random.Random(f"{self._seed} {person}"), self._people[person]
            devices = [
                Follower(
                    f"{person}/{kind}",
                    account,
                    self.doors,
                    self.history,
                    transport=TRANSPORTS[(2 * number + at) % len(TRANSPORTS)],
                    cursor=self._begin[person],
                    dice=dice,
                    clock=self._clock,
                )
                for at, kind in enumerate(("laptop", "phone")[: 1 + number % 2])
            ]
            for device in devices:
                device.heard = self._changed.set
                self._following.append(self._run(device.run()))
            self.devices += devices
            mine = [id for id, members in self._members.items() if person in members]
            others = [id for id in self._members if id not in mine]
            sender = Sender(
                account,
                self.doors,
                devices,
                self.history,
                mine,
                others,
                rate=self._rate,
                dice=dice,
                acknowledged=self._acknowledged,
                clock=self._clock,
            )
            self._senders.append(sender)
            self._talking.append(self._run(sender.talk(self._stop)))
            self._talking.append(self._run(deeds.read(account, self.doors, devices, dice, self._stop, _READ_EVERY)))
        owner, guests = self._people[self._names[0]], self._names[2:]
        for group in [one.id for one in self.history.of(Conversation) if one.title.startswith("come and go")]:
            coming = deeds.change_members(owner, group, guests, self.doors, self._dice, self._clock, self._stop, _MEMBERS_EVERY)
            self._talking.append(self._run(coming))
        self._run(self._move_about())

    def _run(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._group.create_task(work)
        self._all.append(task)
        return task

    async def _move_about(self) -> None:
        while True:
            await asyncio.sleep(self._restless * 2 * self._dice.random())
            self._dice.choice(self.devices).move(self._dice.choice(self.doors), self._dice.choice(TRANSPORTS))
