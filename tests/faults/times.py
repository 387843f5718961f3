"""What the times in a history say about positions. Commits are in the order of positions, so one bound gives many."""

import bisect
import itertools

from tests.faults.history import Acknowledged, Attempt, Chunk, History
from tests.faults.truth import Truth


class Times:
    def __init__(self, history: History, truth: Truth) -> None:
        attempts = history.of(Attempt)
        moments = [(one.answered, one.answer.position) for one in attempts if isinstance(one.answer, Acknowledged)]
        moments += [(one.at, max(event.position for event in one.events)) for one in history.of(Chunk) if one.events]
        moments.sort()
        self._times = [time for time, _ in moments]
        self._known = list(itertools.accumulate((position for _, position in moments), max))
        invoked: dict[tuple[str, str], float] = {}
        for one in attempts:
            key = one.sender, one.client_id
            invoked[key] = min(one.invoked, invoked.get(key, one.invoked))
        sent = sorted(
            (event.position, invoked[event.sender, event.client_id])
            for event in truth.at.values()
            if event.sender is not None and event.client_id is not None and (event.sender, event.client_id) in invoked
        )
        self._positions = [position for position, _ in sent]
        self._earliest = list(itertools.accumulate((time for _, time in sent), max))

    def known(self, time: float) -> int:
        """The greatest position that anybody had been told of before. Whatever is sent later is stored behind it."""
        before = bisect.bisect_left(self._times, time)
        return self._known[before - 1] if before else 0

    def earliest(self, position: int) -> float:
        """When this position was not yet taken: something that stands before it had not even been sent."""
        before = bisect.bisect_left(self._positions, position)
        return self._earliest[before - 1] if before else 0.0
