"""Read marks: only the highest is told, not too often, and again after a failure."""

import asyncio

from hongyan.client.errors import Unreachable
from hongyan.client.marks import Marks
from hongyan.core.errors import NotFound

from .plays import now, play, until


class Server:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.told: list[tuple[str, int]] = []
        self.calls: list[float] = []

    async def tell(self, conversation: str, seq: int) -> None:
        self.calls.append(now())
        if self.errors:
            raise self.errors.pop(0)
        self.told.append((conversation, seq))


def test_many_marks_become_one_call() -> None:
    async def scene() -> None:
        server = Server()
        marks = Marks(server.tell)
        for seq in range(1, 101):
            marks.read("lobby", seq)
            await asyncio.sleep(0.001)
        marks.read("lobby", 5)
        await until(lambda: server.told)
        assert server.told == [("lobby", 100)]
        marks.read("lobby", 100)
        marks.read("team", 3)
        await until(lambda: len(server.told) == 2)
        assert server.told[1] == ("team", 3)
        await marks.close()

    play(scene())


def test_no_more_often_than_the_pause() -> None:
    async def scene() -> None:
        server = Server()
        marks = Marks(server.tell, pause=0.3)
        for seq in range(1, 200):
            marks.read("lobby", seq)
            await asyncio.sleep(0.01)
        await marks.close()
        assert 5 <= len(server.calls) <= 9
        assert server.told[-1] == ("lobby", 199)

    play(scene())


def test_told_again_after_a_failure_and_dropped_when_refused() -> None:
    async def scene() -> None:
        server = Server(Unreachable(), Unreachable(), NotFound())
        marks = Marks(server.tell)
        marks.read("lobby", 1)
        await until(lambda: len(server.calls) == 3)
        assert server.told == []
        marks.read("lobby", 2)
        await until(lambda: server.told)
        assert server.told == [("lobby", 2)]
        await marks.close()

    play(scene())


def test_close_tells_what_is_left_and_then_takes_nothing() -> None:
    async def scene() -> None:
        server = Server()
        marks = Marks(server.tell, pause=100.0)
        marks.read("lobby", 9)
        await marks.close()
        marks.read("lobby", 10)
        assert server.told == [("lobby", 9)]

    play(scene())


def test_close_does_not_wait_for_a_server_that_does_not_answer() -> None:
    async def scene() -> None:
        async def tell(conversation: str, seq: int) -> None:
            await until(lambda: False)

        marks = Marks(tell)
        marks.read("lobby", 9)
        began = now()
        await marks.close(within=2.0)
        assert now() - began < 2.5

    play(scene())
