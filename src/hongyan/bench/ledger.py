"""The book-keeping that shows whether every message came to everybody exactly once. Pure: no clock, no sockets.

Each sender numbers its messages 0, 1, 2, ... Each receiver keeps a ledger of what has arrived, by sender. At the end the
two are compared: what was acknowledged must have arrived once, what was refused must not, what got no answer may.
"""

from collections.abc import Sequence

import msgspec


class Ledger:
    """What one receiver got from each of the `members` of its lane."""

    __slots__ = ("doubled", "early", "next")

    def __init__(self, members: int) -> None:
        self.next = [0] * members
        """By sender: every message below this number has arrived."""
        self.early: set[tuple[int, int]] = set()
        """(sender, number) of what has arrived out of its sender's order."""
        self.doubled = 0

    def arrived(self, sender: int, n: int) -> bool:
        """Book one arrival; False if the message was there already."""
        expected = self.next[sender]
        if n < expected or (sender, n) in self.early:
            self.doubled += 1
            return False
        if n > expected:
            self.early.add((sender, n))
            return True
        n += 1
        while self.early and (sender, n) in self.early:
            self.early.remove((sender, n))
            n += 1
        self.next[sender] = n
        return True

    def has(self, sender: int, n: int) -> bool:
        return n < self.next[sender] or (sender, n) in self.early


class Sent(msgspec.Struct, frozen=True):
    """What one sender knows: numbers below `count` were sent; `open` have no answer; `refused` were answered with an error."""

    count: int
    open: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()


class Verdict(msgspec.Struct, frozen=True):
    """`lost`: acknowledged and not there. `doubled`: there more than once. `ghosts`: there though refused or never sent."""

    lost: int = 0
    doubled: int = 0
    ghosts: int = 0

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(self.lost + other.lost, self.doubled + other.doubled, self.ghosts + other.ghosts)

    def __sub__(self, other: "Verdict") -> "Verdict":
        return Verdict(self.lost - other.lost, self.doubled - other.doubled, self.ghosts - other.ghosts)


def audit(ledger: Ledger, senders: Sequence[Sent]) -> Verdict:
    """Compare one receiver's ledger with what each sender of the lane knows (in the order of the members)."""
    lost = ghosts = 0
    for sender, sent in enumerate(senders):
        below = ledger.next[sender]
        for n in range(below, sent.count):
            if (sender, n) not in ledger.early and n not in sent.open and n not in sent.refused:
                lost += 1
        ghosts += sum(ledger.has(sender, n) for n in sent.refused)
        ghosts += max(0, below - sent.count) + sum(1 for who, n in ledger.early if who == sender and n >= sent.count)
    return Verdict(lost, ledger.doubled, ghosts)
