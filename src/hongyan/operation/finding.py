"""One thing that `hongyan doctor` says."""

from collections.abc import Iterator

import msgspec

_AHEAD_MS = 60_000


class Finding(msgspec.Struct, frozen=True):
    wrong: str
    do: str

    def __str__(self) -> str:
        return ". ".join(part.rstrip(".") for part in (self.wrong, self.do) if part) + "."


def ahead(newest: int | None, now: float) -> Iterator[Finding]:
    """What to say of the time of the newest event, in milliseconds, when it is in the future."""
    if newest is not None and newest > now * 1000 + _AHEAD_MS:
        minutes = (newest / 1000 - now) / 60
        yield Finding(
            f"The newest event is {minutes:.0f} minutes in the future", "Set this machine's clock, and keep it right with NTP"
        )
