"""Rules 4, 5 and 7: on any transport, at any time, everybody is given exactly what they may see, once, in order."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from hongyan.core.model import Event
from tests.build import visible
from tests.e2e.devices import TRANSPORTS, Crowd, Device, Transport, place
from tests.e2e.ledger import log_of, whole_history
from tests.e2e.sockets import Frame
from tests.serving import Person, Refused, Server, new_client_id

USERS = ("ann", "bob", "cai", "dan")
LOBBY = "lobby"
users = st.sampled_from(USERS)
transports = st.sampled_from(TRANSPORTS)
numbers = st.integers(0, 1_000)


class Shown(msgspec.Struct, frozen=True):
    """An event as far as the model foresees it."""

    lane: str
    seq: int
    """0 in a user's own lane."""
    type: str
    sender: str
    what: Any


class Group:
    """The plain model of a conversation: who is in it since which event, and how many events it has."""

    def __init__(self, id: str, history: str, members: list[str], head: int) -> None:
        self.id = id
        self.history = history
        self.since = dict.fromkeys(members, head)
        self.first = dict.fromkeys(members, head)
        self.owner: str | None = members[0] if members else None
        self.title = ""
        self.head = head


class Walk(RuleBasedStateMachine):
    """People and devices do things one after the other. The model says at each step who is to be shown what."""

    def __init__(self, server: Server, people: dict[str, Person]) -> None:
        super().__init__()
        self.people = people
        self.runner = asyncio.Runner()
        self.crowd = Crowd(server)
        self.groups: list[Group] = []
        self.shown: dict[str, list[Shown]] = {user: [] for user in USERS}
        self.marks: dict[tuple[str, str], int] = {}
        self.devices: list[Device] = []
        self.begun: dict[Device, int] = {}
        """How much its user had been shown when the device was new."""
        self.count = 0

    @initialize(first=transports)
    def arrive(self, first: Transport) -> None:
        self.run(self.crowd.__aenter__())
        snapshot = self.people["ann"].snapshot()
        (lobby,) = (one for one in snapshot["conversations"] if one["id"] == LOBBY)
        self.groups.append(Group(LOBBY, "joined", [], lobby["head_seq"]))
        self.groups[0].since = dict.fromkeys(USERS, 0)
        for user in USERS:
            self.marks[user, LOBBY] = self.people[user].call("GET", f"/v1/conversations/{LOBBY}")["read_seq"]
            self.a_device(user, first)

    # What people do

    @rule(owner=users, others=st.sets(users), history=st.sampled_from(["joined", "all"]))
    def create(self, owner: str, others: set[str], history: str) -> None:
        members = [owner, *sorted(others - {owner})]
        group = Group(self.people[owner].group("新群", *members[1:], history=history), history, members, 1)
        group.title = "新群"
        self.groups.append(group)
        for user in members:
            self.marks[user, group.id] = 0
            self.shown[user].append(Shown(group.id, 1, "create", owner, sorted(members)))

    @rule(user=users, number=numbers, device=numbers, twice=st.booleans())
    def send(self, user: str, number: int, device: int, twice: bool) -> None:
        group = self.group(number)
        self.count += 1
        text, client_id = f"第 {self.count} 句", new_client_id()
        say = self.mouth(user, device)
        answer = None
        for _ in range(2 if twice else 1):
            answer = self.may(user in group.since, lambda: say(group.id, text, client_id))
        if answer is not None:
            self.happens(group, "message", user, text)
            assert answer["seq"] == group.head

    @rule(user=users, number=numbers, others=st.sets(users, min_size=1))
    def add(self, user: str, number: int, others: set[str]) -> None:
        group = self.group(number)
        body = {"users": sorted(others)}
        done = self.may(user in group.since, lambda: self.call(user, "POST", f"/v1/conversations/{group.id}/members", body))
        fresh = sorted(others - group.since.keys())
        if done is not None and fresh:
            for one in fresh:
                group.since[one] = group.head + 1
                group.first[one] = 1 if group.history == "all" else group.head + 1
                self.marks[one, group.id] = group.head
            self.happens(group, "member", user, ["add", fresh])

    @rule(user=users, other=users, number=numbers)
    def remove(self, user: str, other: str, number: int) -> None:
        group = self.group(number)
        if group.id == LOBBY:
            return
        allowed = user in group.since and other in group.since and user in (group.owner, other)
        path = f"/v1/conversations/{group.id}/members/{other}"
        if self.may(allowed, lambda: self.call(user, "DELETE", path), "not-found", "forbidden") is None:
            return
        self.happens(group, "member", user, ["leave" if user == other else "remove", [other]])
        del group.since[other], group.first[other]
        if group.owner == other:
            group.owner = min(group.since, key=lambda one: (group.since[one], one), default=None)

    @rule(user=users, number=numbers)
    def rename(self, user: str, number: int) -> None:
        group = self.group(number)
        self.count += 1
        body = {"title": f"群 {self.count}"}
        path = f"/v1/conversations/{group.id}"
        if self.may(user == group.owner, lambda: self.call(user, "PATCH", path, body), "not-found", "forbidden") is not None:
            group.title = body["title"]
            self.happens(group, "settings", user, body)

    @rule(user=users, number=numbers, back=st.integers(0, 3))
    def read(self, user: str, number: int, back: int) -> None:
        group = self.group(number)
        seq = max(group.head - back, 0)
        path = f"/v1/conversations/{group.id}/read"
        answer = self.may(user in group.since, lambda: self.call(user, "POST", path, {"seq": seq}))
        if answer is not None:
            if seq > self.marks[user, group.id]:
                self.marks[user, group.id] = seq
                self.shown[user].append(Shown(f"user:{user}", 0, "read", user, {"conversation": group.id, "seq": seq}))
            assert answer["seq"] == self.marks[user, group.id]

    @rule(user=users, number=numbers)
    def type(self, user: str, number: int) -> None:
        group = self.group(number)
        path = f"/v1/conversations/{group.id}/typing"
        self.may(user in group.since, lambda: self.call(user, "POST", path, {"typing": True}))

    # What devices do

    @precondition(lambda self: len(self.devices) < 12)
    @rule(user=users, transport=transports)
    def a_device(self, user: str, transport: Transport) -> None:
        """A new one, that begins with the snapshot of now."""
        cursor = self.people[user].snapshot()["cursor"]
        device = self.run(self.crowd.device(self.people[user], transport, cursor, limit=3))
        self.devices.append(device)
        self.begun[device] = len(self.shown[user])

    @rule(number=numbers, transport=transports)
    def switch(self, number: int, transport: Transport) -> None:
        self.run(self.device(number).switch(transport))

    @rule(number=numbers)
    def go(self, number: int) -> None:
        self.run(self.device(number).disconnect())

    @rule(number=numbers)
    def settle(self, number: int) -> None:
        self.run(self.settled(self.device(number)))

    @invariant()
    def nothing_but_what_may_be_seen(self) -> None:
        for device in self.devices:
            given = [shown_of(event) for event in device.events]
            assert given == self.wanted(device)[: len(given)]

    def teardown(self) -> None:
        if self.devices:
            for device in self.devices:
                self.run(self.settled(device))
            for device in self.devices:
                self.run(device.given(len(self.wanted(device))))
                assert [shown_of(event) for event in device.events] == self.wanted(device)
            for user, person in self.people.items():
                self.same_as_snapshot(user, person)
        self.run(self.crowd.__aexit__(None, None, None))
        self.runner.close()

    def same_as_snapshot(self, user: str, person: Person) -> None:
        snapshot = {one["id"]: one for one in person.snapshot()["conversations"]}
        for group in self.groups:
            if user not in group.since:
                assert group.id not in snapshot
                with pytest.raises(Refused, match="not-found"):
                    person.history(group.id)
            elif group.id != LOBBY:
                shown = snapshot[group.id]
                assert (shown["title"], shown["head_seq"]) == (group.title, group.head)
                assert {one["id"] for one in shown["members"]} == group.since.keys()
                assert shown["role"] == ("owner" if user == group.owner else "member")
                assert shown["read_seq"] == self.marks[user, group.id]
                seqs = [event["seq"] for event in whole_history(person, group.id)]
                assert seqs == list(range(group.first[user], group.head + 1))

    # Words of the rules

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def call(self, user: str, method: str, path: str, body: Any = None) -> Any:
        return self.run(self.crowd.call(self.people[user], method, path, body)) or {}

    def group(self, number: int) -> Group:
        return self.groups[-1 - number % len(self.groups)]

    def device(self, number: int) -> Device:
        return self.devices[number % len(self.devices)]

    def mouth(self, user: str, number: int) -> Callable[..., Frame]:
        """REST, or one of the user's WebSockets."""
        sockets = [device.socket for device in self.devices if device.person.id == user and device.socket is not None]
        if number % 2 and sockets:
            socket = sockets[number % len(sockets)]
            return lambda *words: self.run(socket.send(*words))
        return lambda *words: self.run(self.crowd.send(self.people[user], *words))

    def may(self, allowed: bool, do: Callable[[], Any], *codes: str) -> Any:
        """Do it when it is allowed; otherwise see that it is refused, and give None."""
        if allowed:
            return do()
        with pytest.raises(Refused) as refused:
            do()
        assert refused.value.code in (codes or ("not-found",))
        return None

    def happens(self, group: Group, type: str, sender: str, what: Any) -> None:
        """Everybody who is in the group now is shown the group's next event."""
        group.head += 1
        for user in group.since:
            self.shown[user].append(Shown(group.id, group.head, type, sender, what))

    def wanted(self, device: Device) -> list[Shown]:
        return self.shown[device.person.id][self.begun[device] :]

    async def settled(self, device: Device) -> None:
        """Wait until it has been given a message that everybody sees, and so everything before."""
        if device.ended:
            assert device.transport is not None
            await device.connect(device.transport)
        last = await self.crowd.send(device.person, LOBBY, "到这里")
        self.happens(self.groups[0], "message", device.person.id, "到这里")
        await device.until(lambda: device.at >= last["position"])


def shown_of(event: Frame) -> Shown:
    content, lane = event["content"], event["conversation"]
    if event["type"] == "message":
        what: Any = content["text"]
    elif event["type"] == "create":
        what = sorted(one["id"] for one in content["members"])
    elif event["type"] == "member":
        what = [content["action"], sorted(one["id"] for one in content["users"])]
    else:
        what = content
    return Shown(lane, 0 if lane.startswith("user:") else event["seq"], event["type"], event["sender"], what)


def test_everybody_is_shown_what_a_plain_model_says_on_any_transport(server: Server) -> None:
    people = dict(zip(USERS, server.people(*USERS), strict=True))
    run_state_machine_as_test(
        lambda: Walk(server, people),  # type: ignore[arg-type]
        settings=settings(
            max_examples=25 if server.shared is None else 8,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # shrinking would wait for what does not come, hundreds of times
        ),
    )


@pytest.mark.parametrize("seed", range(3))
async def test_everybody_is_shown_what_the_replayed_log_shows_while_all_act_at_once(
    server: Server, crowd: Crowd, seed: int
) -> None:
    dice = random.Random(seed)
    names = [f"{name}-{seed}" for name in USERS]
    people = dict(zip(names, server.people(*names), strict=True))
    groups = [
        dice.choice(list(people.values())).group("群", *dice.sample(names, 2), history=dice.choice(["joined", "all"]))
        for _ in range(3)
    ]
    devices = [await crowd.device(person, transport) for person in people.values() for transport in dice.sample(TRANSPORTS, 2)]
    begun = {device: device.at for device in devices}

    async def act() -> None:
        person, group = dice.choice(list(people.values())), dice.choice(groups)
        members, action = f"/v1/conversations/{group}/members", dice.random()
        if action < 0.65:
            await crowd.send(person, dice.choice([group, LOBBY]), "话")
        elif action < 0.8:
            await crowd.call(person, "POST", members, {"users": [dice.choice(names)]})
        elif action < 0.95:
            await crowd.call(person, "DELETE", f"{members}/{dice.choice(names)}")
        else:
            await crowd.call(person, "POST", f"/v1/conversations/{group}/read", {"seq": 2})

    async def talk() -> None:
        for _ in range(60):
            with contextlib.suppress(Refused):
                await act()

    async def flicker(device: Device) -> None:
        for _ in range(15):
            for _ in range(dice.randint(0, 40)):
                await asyncio.sleep(0)
            await device.disconnect()
            for _ in range(dice.randint(0, 40)):
                await asyncio.sleep(0)
            await device.connect(dice.choice(TRANSPORTS))

    await asyncio.gather(*(talk() for _ in range(6)), *(flicker(device) for device in devices))
    last = await crowd.send(people[names[0]], LOBBY, "末")
    log = log_of(server)
    for device in devices:
        await device.reached(last["position"])
        assert [place(event["cursor"]) for event in device.events] == [
            position for position in visible(log, device.person.id) if begun[device] < position <= last["position"]
        ]
        assert [fields(event) for event in device.events] == [fields_of(log[place(one["cursor"]) - 1]) for one in device.events]


async def test_a_thousand_messages_come_once_in_order_while_the_transport_changes(server: Server, crowd: Crowd) -> None:
    dice = random.Random(8440)
    ann, bob = server.people("ann-t", "bob-t")
    lane = ann.direct(bob.id)
    sender, reader = await crowd.device(ann, "msgpack"), await crowd.device(bob, "json")
    taken = dict.fromkeys(TRANSPORTS, 0)

    async def switch() -> None:
        while len(reader.texts(lane)) < 1000:
            await reader.given(min(1000, len(reader.events) + dice.randint(0, 12)))
            transport = min(TRANSPORTS, key=lambda name: (taken[name], dice.random()))
            taken[transport] += 1
            await reader.switch(transport)

    async def send() -> None:
        assert sender.socket is not None
        for first in range(0, 1000, 4):
            await asyncio.gather(*[await sender.socket.post(lane, str(number)) for number in range(first, first + 4)])

    await asyncio.gather(switch(), send())
    assert reader.texts(lane) == [str(number) for number in range(1000)]
    assert [event["seq"] for event in reader.events] == list(range(2, 1002))
    assert reader.limited == []
    assert min(taken.values()) > 3


def fields(event: Frame) -> tuple[Any, ...]:
    return event["conversation"], event["seq"], event["type"], event["sender"], event["time"], event["content"]


def fields_of(event: Event) -> tuple[Any, ...]:
    return event.lane, event.seq, event.type, event.sender, event.time, msgspec.json.decode(event.content)
