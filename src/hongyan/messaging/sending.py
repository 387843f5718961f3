"""Sending a message: policy against the view, then one append that names the membership it was decided on.

Decided, refused because the membership has changed in between, decided again: nobody who was removed gets a message in,
whatever the timing.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from hongyan import config
from hongyan.core import policy
from hongyan.core.content import Content, encode_content, names_others
from hongyan.core.errors import HongyanError, Overloaded, RateLimited
from hongyan.core.ids import check_client_id
from hongyan.core.model import Caller
from hongyan.messaging.composing import compose
from hongyan.messaging.log import Log
from hongyan.messaging.views import View, Views
from hongyan.store import Appended, Draft, Refused, Store, VersionConflict, reading

log = logging.getLogger("hongyan.messaging")

Answer = Callable[[Appended | HongyanError], None]
_TRIES = 8
_LOOK_BACKS = 200
"""Of one user at a time: each asks the store, and strangers are not to keep others from it."""


class Sender:
    """`submit` is the hot path; `send` is the same, awaited."""

    def __init__(
        self,
        store: Store,
        log: Log,
        views: Views,
        limits: config.Limits,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._log = log
        self._views = views
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._again: set[asyncio.Task[None]] = set()
        self._looking: Counter[str] = Counter()
        """Looks into the store that are under way, by user."""
        self.refused: Counter[str] = Counter()
        """By the code of the error."""

    def submit(self, caller: Caller, conversation: str, client_id: str, content: Content, done: Answer) -> None:
        """Answer through `done`, once, later; what can be told at once is raised instead, and then `done` is not called.

        Raises Invalid, TooLarge, RateLimited, Overloaded. `done` gets the place, or NotFound, ClientIdReused,
        StoreUnavailable, ...
        """
        try:
            self._log.require_fresh()
            policy.embedded_send(caller.only, conversation, content)
            check_client_id(client_id)
            encoded = encode_content(content, self._limits.message_bytes)
            attempt = _Attempt(self, caller, conversation, client_id, encoded, done, content if names_others(content) else None)
            view = self._views.peek(caller.user)
            if view is None:
                self.decide_again(attempt, None)
            else:
                self._spend(view)
                self._append(view, attempt)
        except HongyanError as error:
            self.refused[error.code] += 1
            raise

    async def send(self, caller: Caller, conversation: str, client_id: str, content: Content) -> Appended:
        """Send and wait until it is durable. Raises what `submit` raises and answers."""
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

        def done(result: Appended | HongyanError) -> None:
            if not future.done():
                if isinstance(result, HongyanError):
                    future.set_exception(result)
                else:
                    future.set_result(result)

        self.submit(caller, conversation, client_id, content, done)
        return await future

    async def stop(self) -> None:
        for task in list(self._again):
            task.cancel()
        await asyncio.gather(*self._again, return_exceptions=True)

    def _spend(self, view: View) -> None:
        """One send from the user's allowance."""
        now, limits = self._monotonic(), self._limits
        if view.allowance < 0:
            view.allowance = limits.sends_burst
        else:
            view.allowance = min(limits.sends_burst, view.allowance + (now - view.allowance_at) * limits.sends_per_second)
        view.allowance_at = now
        if view.allowance < 1:
            wait = (1 - view.allowance) / limits.sends_per_second
            raise RateLimited("You are sending faster than allowed", retry_after=round(max(wait, 0.05), 2))
        view.allowance -= 1

    def _append(self, view: View, attempt: "_Attempt") -> None:
        conversation = attempt.conversation
        if not _may_write(view, conversation):
            user = attempt.caller.user
            if self._looking[user] >= _LOOK_BACKS:
                raise RateLimited("You are sending to conversations that you may not write in", retry_after=1.0)
            self._looking[user] += 1
            self._later(attempt, self._look_back(attempt))
            return
        if attempt.composed is not None:
            self._later(attempt, self._compose(attempt, attempt.composed))
            return
        self._store.append(
            Draft(
                conversation,
                "message",
                attempt.caller.user,
                self._clock(),
                attempt.content,
                attempt.client_id,
                view.lanes[conversation].version,
            ),
            attempt,
        )

    def decide_again(self, attempt: "_Attempt", conflict: VersionConflict | None) -> None:
        """The membership has changed since it was decided; or, without a conflict, nothing is known of the sender yet."""
        self._later(attempt, self._decide_again(attempt, conflict))

    def _later(self, attempt: "_Attempt", work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._settle(attempt, work), name="hongyan send again")
        self._again.add(task)
        task.add_done_callback(self._again.discard)

    async def _settle(self, attempt: "_Attempt", work: Coroutine[Any, Any, None]) -> None:
        """Whatever happens, the sender gets an answer."""
        try:
            await work
        except HongyanError as error:
            attempt.refuse(error)
        except Exception:
            log.exception("a send could not be decided")
            attempt.refuse(HongyanError())

    async def _decide_again(self, attempt: "_Attempt", conflict: VersionConflict | None) -> None:
        if conflict is not None:
            await self._log.reached(conflict.version)
        view = await self._views.get(attempt.caller.user)
        if conflict is None:
            self._spend(view)
        self._append(view, attempt)

    async def _compose(self, attempt: "_Attempt", content: Content) -> None:
        """What has to be looked up is, inside the transaction that stores it."""
        now, most = self._clock(), self._limits.message_bytes
        user, lane, client_id = attempt.caller.user, attempt.conversation, attempt.client_id
        attempt(await self._store.transaction(lambda tx: compose(tx, user, lane, content, client_id, now, most), scope=lane))

    async def _look_back(self, attempt: "_Attempt") -> None:
        """Not allowed, as far as this node knows.

        Somebody who was let in a moment ago, perhaps on another node; or who was removed, or the conversation archived, and they
        repeat what was stored before; or who may not.
        """
        user, client_id = attempt.caller.user, attempt.client_id
        try:
            await self._log.caught_up()
            view = await self._views.get(user)
            event = None
            if not _may_write(view, attempt.conversation):
                event = await self._store.read(lambda connection: reading.sent(connection, user, client_id))
                view = await self._views.get(user)  # they may have been let in meanwhile
        finally:
            self._looking[user] -= 1
            if not self._looking[user]:
                del self._looking[user]
        if event is not None and event.lane == attempt.conversation:
            attempt(Appended(event.position, event.seq, event.time, repeated=True))
        else:
            lane = view.lanes.get(attempt.conversation)
            policy.write(view.roles.get(attempt.conversation), lane.writers if lane is not None else "all")
            self._append(view, attempt)


def _may_write(view: View, conversation: str) -> bool:
    role = view.roles.get(conversation)
    if role is None:
        return False
    writers = view.lanes[conversation].writers
    return writers == "all" or policy.may_write(role, writers)


class _Attempt:
    """A send under way: what the store calls when it is decided."""

    __slots__ = ("_done", "_sender", "_tries", "caller", "client_id", "composed", "content", "conversation")

    def __init__(
        self,
        sender: Sender,
        caller: Caller,
        conversation: str,
        client_id: str,
        content: bytes,
        done: Answer,
        composed: Content | None,
    ) -> None:
        self._sender = sender
        self._done = done
        self._tries = _TRIES
        self.caller = caller
        self.conversation = conversation
        self.client_id = client_id
        self.content = content
        self.composed = composed
        """None when `content` is all there is to it."""

    def __call__(self, result: Appended | Refused) -> None:
        if isinstance(result, Appended):
            self._done(result)
        elif isinstance(result, HongyanError):
            self.refuse(result)
        else:
            if self.again():
                self._sender.decide_again(self, result)
            else:
                self.refuse(Overloaded("The membership keeps changing; try again", retry_after=0.5))

    def again(self) -> bool:
        """Whether it may be decided once more."""
        self._tries -= 1
        return self._tries > 0

    def refuse(self, error: HongyanError) -> None:
        self._sender.refused[error.code] += 1
        self._done(error)
