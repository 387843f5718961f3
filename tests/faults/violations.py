"""What the checker can find: each kind is one broken promise, each violation one sentence about where it was broken."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    # of the log
    NOT_READ = "not read"
    """A member could not read the log at the end on a node: nothing is known about it."""
    LOGS_DIFFER = "logs differ"
    """Two nodes, or two members, read something else; or somebody more or less than their part."""
    HOLE_IN_LOG = "hole in the log"
    """`seq` does not go up by one."""
    POSITIONS_DISORDER = "positions disorder"
    """Positions do not rise with `seq`, or one belongs to two events."""
    STORED_TWICE = "stored twice"
    GHOST = "ghost"
    """A message that nobody sent."""
    CHANGED = "changed"
    """Stored in other words, or elsewhere, than sent."""
    FROM_STRANGER = "from a stranger"
    """A message of somebody who was not in the conversation at that position."""
    # of sends
    LOST = "lost"
    """Acknowledged and not in the log."""
    WRONG_ACK = "wrong acknowledgement"
    """Its seq or position is not that of the log."""
    TWO_ANSWERS = "two answers"
    """Two attempts at one message were acknowledged with different places."""
    REFUSED_YET_STORED = "refused yet stored"
    PUT_OFF_YET_STORED = "put off yet stored"
    """Answered with an error that says that nothing was stored."""
    REFUSED_AFTER_STORED = "refused after it was stored"
    """A retry did not get the first answer."""
    REFUSED_A_MEMBER = "refused a member"
    """Told that there is no such conversation, or that they may not, while they were in it: a node that is behind."""
    UNDECIDED = "undecided"
    """Neither acknowledged nor refused for good until the end of the run."""
    AGAINST_TIME = "against time"
    """Stored before something that was known before it was sent."""
    # of devices
    SKIPPED = "skipped"
    """A cursor claims an event that was not given."""
    GIVEN_TWICE = "given twice"
    DISORDER = "disorder"
    """Given after something later, or after a cursor had claimed it."""
    PAST_CURSOR = "past the cursor"
    """An event that the cursor given with it does not claim."""
    CURSOR_BACK = "cursor back"
    GIVEN_CHANGED = "given changed"
    """Not what the log has at this position."""
    GIVEN_GHOST = "given a ghost"
    """Not in the log."""
    GIVEN_TO_STRANGER = "given to a stranger"
    """Of a conversation that the person was not in at this position."""
    LIMITED = "limited"
    """The server could not continue from its own cursor."""
    OTHER_EPOCH = "other epoch"
    """A cursor of another log, without a word."""
    DENIED = "denied"
    """A device was refused for good, with a cursor and a token that the server gave it."""
    NEVER_REACHED = "never reached"
    """At the end a device had not been given everything."""
    # of the record itself
    BROKEN_RECORD = "broken record"
    """A device went on with another cursor than it was given: the workload has a fault, and nothing follows about the server."""


class Violation(msgspec.Struct, frozen=True):
    kind: Kind
    sentence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"


def report(violations: Sequence[Violation], each: int = 5) -> str:
    """How many of each kind, and the first few of them."""
    lines = [f"{count} x {kind}" for kind, count in Counter(one.kind for one in violations).most_common()]
    for kind in dict.fromkeys(one.kind for one in violations):
        lines += [str(one) for one in violations if one.kind == kind][:each]
    return "\n".join(lines)
