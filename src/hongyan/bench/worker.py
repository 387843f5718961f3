"""A worker process: its share of the connections on one event loop, driven by commands from the conductor through a pipe."""

import asyncio
import contextlib
import resource
import ssl
import time
from array import array
from multiprocessing.connection import Connection

import uvloop

from hongyan.bench.ledger import Verdict, audit
from hongyan.bench.links import Target
from hongyan.bench.person import Lane, Person, Tally
from hongyan.bench.plan import Audit, Audited, Load, Loaded, Open, Opened, Ping, Plan, Stop, Storm
from hongyan.bench.stamp import now_us

_TICK = 0.001


def main(pipe: Connection, plan: Plan) -> None:
    """The process's whole life. Ends with Stop, or when the conductor is gone."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        uvloop.run(_serve(pipe, plan))


async def _serve(pipe: Connection, plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    worker = Worker(plan)
    while True:
        command = await loop.run_in_executor(None, pipe.recv)
        match command:
            case Open():
                pipe.send(await worker.open(command))
            case Load():
                pipe.send(await worker.load(command))
            case Storm():
                pipe.send(await worker.storm(command))
            case Ping():
                pipe.send(await worker.ping(command))
            case Audit():
                pipe.send(worker.audit())
            case Stop():
                await worker.stop()
                return


class Worker:
    """The share of one process."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._tally = Tally()
        tls = ssl.create_default_context() if plan.tls else None
        targets = [Target(host, port, plan.prefix, tls) for host, port in plan.nodes]
        self._lanes = [Lane(plan.run, lane.index, lane.conversation) for lane in plan.lanes]
        self._persons: list[Person] = []
        for number, person_plan in enumerate(plan.persons):
            lane = self._lanes[person_plan.lane] if person_plan.lane >= 0 else None
            person = Person(
                person_plan,
                lane,
                targets[person_plan.node],
                self._tally,
                size=plan.size,
                random_ids=plan.random_ids,
                poll_interval=plan.poll_interval,
                source=plan.source[number % len(plan.source)] if plan.source else None,
            )
            self._persons.append(person)
            if lane is not None:
                lane.members.append(person)
                if person_plan.transport.startswith("ws-"):
                    lane.senders.append(person)
        for person in self._persons:
            person.join()

    async def open(self, command: Open) -> Opened:
        began = now_us()
        opened = await self._connect(began + int(command.seconds * 1e6))
        ended = now_us()
        await self._pongs(5.0)
        return self._opened(opened, began, ended)

    async def _connect(self, deadline: int) -> list[Person]:
        """Open everything that is not, some at a time; the persons that succeeded."""
        gate = asyncio.Semaphore(self._plan.connecting)

        async def one(person: Person) -> bool:
            async with gate:
                return await person.open(deadline)

        waiting = [person for person in self._persons if not person.is_open]
        done = await asyncio.gather(*(one(person) for person in waiting))
        return [person for person, succeeded in zip(waiting, done, strict=True) if succeeded]

    def _opened(self, persons: list[Person], began: int, ended: int) -> Opened:
        refused, self._tally.refused_connections = self._tally.refused_connections, 0
        failed = sum(not person.is_open for person in self._persons)
        return Opened(len(persons), failed, began, ended, array("I", [person.opened_in for person in persons]).tobytes(), refused)

    async def _pongs(self, seconds: float) -> list[Person]:
        """Ping every WebSocket; the persons that answered. A pong also gives a cursor to those that have none yet."""
        asked = [(person, person.pongs) for person in self._persons if person.is_open and person.plan.transport.startswith("ws-")]
        for number, (person, _) in enumerate(asked):
            person.ping()
            if number % 500 == 499:
                await asyncio.sleep(0)
        deadline = time.monotonic() + seconds
        while any(person.pongs == before for person, before in asked):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.01)
        return [person for person, before in asked if person.pongs > before]

    async def ping(self, command: Ping) -> Opened:
        began = now_us()
        answered = await self._pongs(command.seconds)
        return self._opened(answered, began, now_us())

    async def load(self, command: Load) -> Loaded:
        tally = self._tally
        tally.delays = array("I")
        sent, acked, delivered = sum(person.sent for person in self._persons), tally.acked, tally.delivered
        lanes = [lane for lane in self._lanes if lane.senders]
        await asyncio.sleep(max(0.0, (command.at - now_us()) / 1e6))
        began = now_us()
        end = began + int(command.seconds * 1e6)
        late = 0
        if command.rate is not None and lanes:
            late = await self._by_the_clock(lanes, command.rate, began, end)
        else:
            for lane in lanes:
                lane.allow(command.window)
            await asyncio.sleep(max(0.0, (end - now_us()) / 1e6))
            for lane in lanes:
                lane.allow(0)
        drained = await self._drain(lanes, command.drain)
        return Loaded(
            sent=sum(person.sent for person in self._persons) - sent,
            acked=tally.acked - acked,
            delivered=tally.delivered - delivered,
            began=began,
            ended=now_us(),
            delays=tally.delays.tobytes(),
            late=late,
            position=tally.position,
            drained=drained,
        )

    async def _by_the_clock(self, lanes: list[Lane], rate: float, began: int, end: int) -> int:
        """Send `rate` messages a second, the lanes in turn. A late tick sends what it missed. Returns the worst lateness."""
        sent = late = 0
        last = began
        while (now := now_us()) < end:
            late = max(late, now - last - int(_TICK * 1e6))
            last = now
            due = int((now - began) * rate / 1e6)
            while sent < due:
                lanes[sent % len(lanes)].send()
                sent += 1
            await asyncio.sleep(_TICK)
        return late

    async def _drain(self, lanes: list[Lane], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while any(lane.outstanding > 0 for lane in lanes):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.002)
        return True

    async def storm(self, command: Storm) -> Opened:
        await asyncio.sleep(max(0.0, (command.at - now_us()) / 1e6))
        began = now_us()
        for lane in self._lanes:
            for _ in range(command.missed):
                lane.send()
        if command.missed:
            await asyncio.sleep(0.005)
        for person in self._persons:
            person.cut()
        opened = await self._connect(began + int(command.seconds * 1e6))
        await self._drain(self._lanes, command.seconds)
        return self._opened(opened, began, now_us())

    def audit(self) -> Audited:
        verdict = Verdict()
        for lane in self._lanes:
            senders = [person.known() for person in lane.members]
            for person in lane.members:
                verdict += audit(person.ledger, senders)
        tally = self._tally
        return Audited(verdict, tally.strays, tally.disorder, dict(tally.errors), tally.reconnects)

    async def stop(self) -> None:
        for person in self._persons:
            await person.close()
        await asyncio.sleep(0)
