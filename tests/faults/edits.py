"""Looking things up in the records of a history, and changing them. Nothing is changed in place."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from tests.e2e.devices import place
from tests.faults.history import Acknowledged, Attempt, Chunk, Event, Reading, Record, Switch
from tests.faults.invented import EPOCH

Records = list[Record]


def chunks(records: Records) -> list[Chunk]:
    """What was given without `limited`."""
    return [record for record in records if isinstance(record, Chunk) and record.limited is None]


def next_of(records: Records, chunk: Chunk) -> Chunk | None:
    """What the same device was given next."""
    later = [record for record in records if isinstance(record, Chunk) and record.device == chunk.device]
    at = next(number for number, one in enumerate(later) if one is chunk)
    return later[at + 1] if at + 1 < len(later) else None


def log_of(records: Records) -> list[Event]:
    """Every event that anybody read, by position."""
    found = {event.position: event for record in records if isinstance(record, Reading) for event in record.events}
    return [event for _, event in sorted(found.items())]


def messages(records: Records) -> list[Event]:
    return [event for event in log_of(records) if event.type == "message"]


def attempts_of(records: Records, event: Event) -> list[Attempt]:
    key = event.sender, event.client_id
    return [record for record in records if isinstance(record, Attempt) and (record.sender, record.client_id) == key]


def acknowledged(records: Sequence[Record]) -> list[Any]:
    """Attempts whose answer is `Acknowledged`."""
    return [record for record in records if isinstance(record, Attempt) and isinstance(record.answer, Acknowledged)]


def invisible(records: Records) -> list[tuple[Chunk, Event]]:
    """Messages that lie between the cursors of a chunk, but are not for its device."""
    found = []
    for chunk in chunks(records):
        between = (place(chunk.before), place(chunk.after)) if chunk.before else (0, 0)
        given = {event.position for event in chunk.events}
        for event in messages(records):
            if between[0] < event.position <= between[1] and event.position not in given:
                found.append((chunk, event))
    return found


def instead(records: Records, old: Record, new: Record) -> Records:
    return [new if record is old else record for record in records]


def everywhere(records: Records, change: Callable[[Event], Event | None], *, devices: bool) -> Records:
    """The same change of the log for all who read it; and for those who were given it."""

    def changed(events: Sequence[Event]) -> tuple[Event, ...]:
        return tuple(event for one in events if (event := change(one)) is not None)

    kinds = Reading | Chunk if devices else Reading
    return [replace(record, events=changed(record.events)) if isinstance(record, kinds) else record for record in records]


def added_to_log(records: Records, like: Event, **members: Any) -> Records:
    """Another event at the end of a conversation, for all who read it."""
    last = max(event.seq for event in log_of(records) if event.conversation == like.conversation)
    head = max(place(record.after) for record in records if isinstance(record, Chunk))
    event = replace(like, seq=last + 1, cursor=f"{EPOCH}.{head + 1}", **members)
    return [
        replace(record, events=(*record.events, event))
        if isinstance(record, Reading) and record.conversation == like.conversation
        else record
        for record in records
    ]


def goes_on_with(records: Records, chunk: Chunk, after: str, **following: Any) -> Records:
    """Another cursor after a chunk, with which the device goes on; and other members of the next chunk."""
    changed: Records = []
    behind = False
    for record in records:
        if record is chunk:
            changed.append(replace(chunk, after=after))
            behind = True
        elif behind and isinstance(record, Switch) and record.device == chunk.device:
            changed.append(replace(record, cursor=after))
        elif behind and isinstance(record, Chunk) and record.device == chunk.device:
            changed.append(replace(record, before=after, **following))
            behind = False
        else:
            changed.append(record)
    return changed
