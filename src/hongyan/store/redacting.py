"""The one thing that ever changes in the log: what an event says is taken out of it. Its place, sender and time stay."""

from collections.abc import Sequence

from sqlalchemy import Connection, update

from hongyan.store.schema import events


def redact(connection: Connection, lane: str, seqs: Sequence[int], content: bytes) -> None:
    """Inside a transaction that also appends the event which tells of it: followers take it out of their memory by that."""
    for begin in range(0, len(seqs), 500):
        some = events.c.seq.in_(seqs[begin : begin + 500])
        connection.execute(update(events).where(events.c.lane == lane, some).values(content=content))
