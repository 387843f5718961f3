"""Somebody who sends at a bounded rate, and does not give a message up before it is decided.

A message whose outcome is not known is sent again with its client id, to another node, after a short back-off. Some are sent to
two nodes at the same time, some again although they were acknowledged, and some are such that they have to be refused.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec

from hongyan.client.backoff import Backoff
from tests.e2e.sockets import Foreign, Lost
from tests.faults.doors import ANSWER_SECONDS, Account, Door, another
from tests.faults.follower import Follower, Mouth
from tests.faults.history import Acknowledged, Answer, Attempt, History, PutOff, Refused, Unknown
from tests.serving import Refused as Problem

_IN_FLIGHT = 8
_TWINS = 0.05
_AGAIN = 0.05
_WRONG = 0.03
_TOO_LONG = 70_000
"""Characters, above the limit of a message."""
_PUT_OFF = ("overloaded", "rate-limited", "store-unavailable", "not-authenticated")
"""Codes with which nothing was stored (docs/reference/errors.md) and that pass."""


class Message(msgspec.Struct, frozen=True):
    conversation: str
    client_id: str
    text: str


class Sender:
    def __init__(
        self,
        account: Account,
        doors: Sequence[Door],
        devices: Sequence[Follower],
        history: History,
        conversations: Sequence[str],
        others: Sequence[str],
        *,
        rate: float,
        dice: random.Random,
        clock: Callable[[], float],
        acknowledged: Callable[[], None],
    ) -> None:
        self._account = account
        self._doors = doors
        self._devices = devices
        self._history = history
        self._conversations = conversations
        self._others = others
        """Conversations that the person is not in."""
        self._period = 1 / rate
        self._dice = dice
        self._clock = clock
        self._acknowledged = acknowledged
        self._door = dice.choice(doors)
        self._number = 0
        self.deadline = float("inf")
        """When it gives up what is still not decided."""

    async def talk(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, and then until everything is decided."""
        gate = asyncio.Semaphore(_IN_FLIGHT)
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                await gate.acquire()
                message = self._message()
                group.create_task(self._decide(message), name=message.client_id).add_done_callback(lambda _: gate.release())
                try:
                    async with asyncio.timeout(self._period * 2 * self._dice.random()):
                        await stop.wait()
                except TimeoutError:
                    pass

    def _message(self) -> Message:
        dice = self._dice
        self._number += 1
        client_id = f"{self._account.id}-{self._number:06}"
        text = f"{client_id} {'话' * dice.choice([1, 3, 10, 1000])}"
        if dice.random() >= _WRONG:
            return Message(dice.choice(self._conversations), client_id, text)
        if self._others and dice.random() < 0.5:
            return Message(dice.choice(self._others), client_id, text)
        return Message(dice.choice(self._conversations), client_id, text * (_TOO_LONG // len(text) + 1))

    async def _decide(self, message: Message) -> None:
        backoff = Backoff(0.1, 2.0, self._dice.random)
        door = self._door
        while True:
            ways = [door, another(self._doors, door, self._dice)] if self._dice.random() < _TWINS else [door]
            answers = await asyncio.gather(*(self._attempt(message, way) for way in ways))
            if any(isinstance(answer, Acknowledged | Refused) for answer in answers):
                break
            if self._clock() >= self.deadline:
                return
            await asyncio.sleep(backoff.next())
            door = self._door = another(self._doors, door, self._dice)
        if self._dice.random() < _AGAIN:
            await self._attempt(message, another(self._doors, door, self._dice))

    async def _attempt(self, message: Message, door: Door) -> Answer:
        """Over a device's WebSocket, if there is one and the dice want it; then to the node where that one is."""
        mouths = [device.mouth for device in self._devices if device.mouth is not None]
        mouth = self._dice.choice(mouths) if mouths and self._dice.random() < 0.5 else None
        door, way = (door, "rest") if mouth is None else (mouth.door, mouth.codec)
        invoked = self._clock()
        answer: Answer = Unknown("given up")
        try:
            answer = await self._ask(message, door, mouth)
        finally:
            ours = self._account.id, message.conversation, message.client_id, message.text
            self._history.add(Attempt(*ours, door.name, way, invoked, self._clock(), answer))
        if isinstance(answer, Acknowledged):
            self._acknowledged()
        return answer

    async def _ask(self, message: Message, door: Door, mouth: Mouth | None) -> Answer:
        conversation, client_id, text = message.conversation, message.client_id, message.text
        try:
            if mouth is not None:
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await mouth.socket.send(conversation, text, client_id)
            else:
                body = {"client_id": client_id, "content": {"type": "text", "text": text}}
                answer = await door.call(self._account, "POST", f"/v1/conversations/{conversation}/messages", body)
        except TimeoutError:
            return Unknown(f"no answer within {ANSWER_SECONDS:g} s")
        except (Lost, Foreign) as error:
            return Unknown(str(error))
        except Problem as problem:
            return denial(problem)
        return Acknowledged(answer["seq"], answer["position"])


def denial(problem: Problem) -> Answer:
    """What an error says about the message."""
    if problem.code in _PUT_OFF:
        return PutOff(problem.status, problem.code)
    if problem.status >= 500 or problem.code in ("", "internal"):
        return Unknown(f"{problem.status} {problem.code}")
    return Refused(problem.status, problem.code)
