"""The outbox on its way: kept first, sent in order, tried again with the same id, given up only when the server refused."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from hongyan.client.backoff import Backoff
from hongyan.client.deliver import Delivery
from hongyan.client.errors import Closed, Interposed, StateUnusable, TransportBroken, Unreachable
from hongyan.client.model import Sent
from hongyan.client.outbox import Entry
from hongyan.client.saved import Saved
from hongyan.core.errors import ClientIdReused, Forbidden, NotAuthenticated, Overloaded, RateLimited

from .plays import now, play, until

ME = "lihua"


def entry(at: int, conversation: str = "lobby", sender: str = ME) -> Entry:
    return Entry(sender, f"c{at}", conversation, {"type": "text", "text": str(at)})


class Post:
    """A server that takes messages, except for what `answer` raises, and a delivery to it."""

    def __init__(self, answer: Callable[[Entry], Exception | None] = lambda entry: None, at_once: int = 32) -> None:
        self.saved = Saved(None, "http://x")
        self.outbox = self.saved.outbox
        self.answer = answer
        self.tried: list[tuple[float, str]] = []
        self.stored: list[str] = []
        self.told: list[tuple[str, object]] = []
        self.under_way = self.most_under_way = 0
        self.delivery = Delivery(
            self.outbox,
            self._send,
            sent=self._sent,
            failed=self._failed,
            backoff=lambda: Backoff(first=1.0, draw=lambda: 1.0),
            at_once=at_once,
        )

    async def _send(self, entry: Entry) -> Sent:
        self.tried.append((now(), entry.client_id))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0.01)
            if error := self.answer(entry):
                raise error
        finally:
            self.under_way -= 1
        self.stored.append(entry.client_id)
        return Sent(len(self.stored), len(self.stored))

    async def _sent(self, entry: Entry, sent: Sent) -> None:
        self.told.append((entry.client_id, sent.seq))

    async def _failed(self, entry: Entry, error: Exception) -> None:
        self.told.append((entry.client_id, error))

    @property
    def ids(self) -> list[str]:
        return [id for _, id in self.tried]


def scene(play_it: Callable[[Post], Coroutine[Any, Any, None]], **more: Any) -> None:
    async def whole() -> None:
        post = Post(**more)
        try:
            await play_it(post)
        finally:
            await post.delivery.close()
            post.saved.close()

    play(whole())


def failing(*errors: Exception | None) -> Callable[[Entry], Exception | None]:
    left = list(errors)
    return lambda entry: left.pop(0) if left else None


def test_kept_before_the_first_try_and_struck_out_after_the_answer() -> None:
    async def act(post: Post) -> None:
        pending = post.delivery.post(entry(1))
        assert (post.outbox.count(ME), post.tried) == (1, [])
        assert await pending == Sent(1, 1)
        assert post.outbox.count(ME) == 0
        await post.delivery.drained(ME)
        assert post.told == [("c1", 1)]

    scene(act)


def test_order_is_kept_within_a_conversation_through_failures() -> None:
    async def act(post: Post) -> None:
        for at in range(20):
            post.delivery.post(entry(at))
        await post.delivery.drained(ME)
        assert post.stored == [f"c{at}" for at in range(20)]

    scene(act, answer=failing(None, Unreachable(), None, None, TransportBroken(), Unreachable(), Overloaded()))


def test_temporary_errors_are_tried_again_with_the_same_id() -> None:
    errors = [Unreachable(), TransportBroken(), Overloaded(), Interposed(404), NotAuthenticated(), RuntimeError("a fault")]

    async def act(post: Post) -> None:
        place = await post.delivery.post(entry(1))
        assert place.seq == 1
        assert post.ids == ["c1"] * (len(errors) + 1)
        assert post.told[:1] in ([], [("c1", 1)])

    scene(act, answer=failing(*errors))


def test_waits_grow_and_what_the_server_asked_is_kept() -> None:
    async def act(post: Post) -> None:
        await post.delivery.post(entry(1))
        times = [time for time, _ in post.tried]
        waits = [round(after - before - 0.01) for before, after in pairwise(times)]
        assert waits == [1, 2, 4, 60 + 8]

    scene(act, answer=failing(Unreachable(), Unreachable(), Unreachable(), RateLimited(retry_after=60.0)))


@pytest.mark.parametrize("refusal", [Forbidden("no"), ClientIdReused()])
def test_refused_for_good_leaves_the_outbox_and_is_told(refusal: Exception) -> None:
    async def act(post: Post) -> None:
        pending = post.delivery.post(entry(1))
        post.delivery.post(entry(2))
        with pytest.raises(type(refusal)):
            await pending
        await post.delivery.drained(ME)
        assert post.told == [("c1", refusal), ("c2", 1)]
        assert post.outbox.count(ME) == 0

    scene(act, answer=failing(refusal))


def test_refused_and_awaited_by_nobody_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    async def act(post: Post) -> None:
        post.delivery.post(entry(1))
        await post.delivery.drained(ME)

    scene(act, answer=failing(Forbidden()))
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_one_conversation_does_not_wait_for_another() -> None:
    async def act(post: Post) -> None:
        post.delivery.post(entry(1, "blocked"))
        await post.delivery.post(entry(2, "free"))
        assert post.stored == ["c2"]
        assert post.outbox.count(ME) == 1

    scene(act, answer=lambda entry: Unreachable() if entry.conversation == "blocked" else None)


def test_one_senders_message_does_not_wait_for_anothers() -> None:
    async def act(post: Post) -> None:
        post.delivery.post(entry(1, sender="wangfang"))
        await post.delivery.post(entry(2))
        await post.delivery.drained(ME)
        assert post.stored == ["c2"]
        assert post.outbox.count("wangfang") == 1

    scene(act, answer=lambda entry: NotAuthenticated() if entry.sender == "wangfang" else None)


def test_only_so_many_at_once() -> None:
    async def act(post: Post) -> None:
        for at in range(50):
            post.delivery.post(entry(at, f"conversation {at}"))
        await post.delivery.drained(ME)
        assert len(post.stored) == 50
        assert post.most_under_way == 4

    scene(act, at_once=4)


def test_what_an_earlier_run_left_goes_first() -> None:
    async def act(post: Post) -> None:
        for at in (1, 2):
            post.outbox.add(entry(at))
        post.delivery.post(entry(3))
        post.delivery.start(ME)
        await post.delivery.drained(ME)
        assert post.stored == ["c1", "c2", "c3"]

    scene(act)


def test_hurry_ends_the_waits() -> None:
    async def act(post: Post) -> None:
        post.delivery.post(entry(1))
        await until(lambda: len(post.tried) == 6)
        before = now()
        post.delivery.hurry()
        await post.delivery.drained(ME)
        assert now() - before < 0.1

    scene(act, answer=failing(*[Unreachable()] * 6))


def test_cancelling_the_wait_does_not_take_the_message_back() -> None:
    async def act(post: Post) -> None:
        async def wait() -> None:
            await post.delivery.post(entry(1))

        pending = post.delivery.post(entry(2))

        async def wait_too() -> None:
            await pending

        waiting = [asyncio.create_task(wait()), asyncio.create_task(wait_too())]
        await until(lambda: post.tried)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert (await pending).seq == 1
        await post.delivery.drained(ME)
        assert post.stored == ["c2", "c1"]

    scene(act)


def test_close_keeps_what_is_not_settled_and_tells_who_waits() -> None:
    async def act(post: Post) -> None:
        pendings = [post.delivery.post(entry(at)) for at in range(3)]
        await until(lambda: post.tried)
        await post.delivery.close()
        for pending in pendings:
            with pytest.raises(Closed):
                await pending
        with pytest.raises(Closed):
            post.delivery.post(entry(9))
        assert [one.client_id for one in post.outbox.waiting(ME)] == ["c0", "c1", "c2"]

    scene(act, answer=lambda entry: Unreachable())


def test_outbox_that_cannot_be_written_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def act(post: Post) -> None:
        def remove(entry: Entry) -> None:
            raise StateUnusable("the disk is full")

        post.outbox.remove = remove  # type: ignore[method-assign]
        first, second = post.delivery.post(entry(1)), post.delivery.post(entry(2))
        assert [(await first).seq, (await second).seq] == [1, 2]
        assert "the disk is full" in caplog.text

    scene(act)
