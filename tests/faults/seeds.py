"""Faults to be put into good histories, for the tests of the checker, with what the checker has to call them."""

import random
from collections.abc import Callable

import msgspec

from tests.faults.history import Record
from tests.faults.violations import Kind

Records = list[Record]
Change = Callable[[Records, random.Random], Records | None]
"""Other records, or None where the history has no place for the fault."""


class Seed(msgspec.Struct, frozen=True):
    change: Change
    kind: Kind
    also: frozenset[Kind]
    """What else may follow from it."""


class Seeds:
    """Faults by name."""

    def __init__(self) -> None:
        self.named: dict[str, Seed] = {}

    def called(self, kind: Kind, *also: Kind) -> Callable[[Change], Change]:
        def note(change: Change) -> Change:
            self.named[change.__name__] = Seed(change, kind, frozenset(also))
            return change

        return note
