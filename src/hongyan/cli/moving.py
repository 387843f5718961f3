"""`hongyan migrate --from URL --to URL`: everything from one store into another, so that nobody notices but the administrator."""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import hongyan.features.tables  # noqa: F401  what is copied
from hongyan.cli.progress import Progress
from hongyan.cli.refused import Refused
from hongyan.operation.sides import directory_of, source_of, target_of
from hongyan.store import copying

if TYPE_CHECKING:
    from hongyan.config import Settings

_DIGITS = 32
"""Of a SHA-256 that are shown: more than anybody compares."""


def move(settings: "Settings", source: str, target: str) -> None:
    """Raises Refused and what `source_of` and `target_of` raise."""
    os.umask(0o077)
    one, other = directory_of(source, settings), directory_of(target, settings)
    if source == target or (one and other and one.path.resolve() == other.path.resolve()):
        raise Refused("--from and --to name the same store")
    compared = asyncio.run(_copy(settings, source, target))
    _show(compared)
    if different := [one.table for one in compared if not one.same]:
        raise Refused(
            f"The copy is not the same as what it was made from, in {', '.join(different)}, and no server will use it. "
            "Begin again with an empty target; if it happens again, look over the disks and the memory of both machines"
        )
    rows = sum(one.rows for one in compared)
    print(
        f"Everything was copied and compared: {rows:,} rows. Start the servers with the new store, and keep the old one a while"
    )


async def _copy(settings: "Settings", source: str, target: str) -> list[copying.Compared]:
    progress = Progress(sys.stderr)
    async with source_of(source, settings) as one, target_of(target, settings) as other:
        try:
            return await copying.copy(one, other, progress)
        finally:
            progress.end()


def _show(compared: Sequence[copying.Compared]) -> None:
    print(f"{'table':<15} {'rows':>11}  {'SHA-256':<{_DIGITS}}  both sides")
    for one in compared:
        print(f"{one.table:<15} {one.rows:>11,}  {one.digest[:_DIGITS]}  {'the same' if one.same else 'DIFFERENT'}")
        if not one.same:
            print(f"{'  in the copy':<15} {one.rows_there:>11,}  {one.digest_there[:_DIGITS]}")
