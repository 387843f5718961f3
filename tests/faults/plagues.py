"""Everything that is to be done to a cluster: the faults that its promises have to survive."""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

import msgspec

from tests.faults.nemesis import Deed, Freezable, Line, Mortal, Stoppable, Watch, cut, frozen, jumped, killed, stalled, stopped

_HOUR = 3600.0


class Node(Mortal, Freezable, Protocol):
    """A process of the server."""


class Ways(msgspec.Struct, frozen=True):
    """The lines of one node to what all share."""

    database: Line
    bus: Line


def plagues(
    nodes: Mapping[str, Node], ways: Mapping[str, Ways], database: Mortal, bus: Stoppable, watch: Watch | None = None
) -> list[Deed]:
    """For `Nemesis.torment`. `ways` are by the names of `nodes`; `watch` is that of all nodes."""
    deeds = [
        Deed("the database is killed", partial(killed, database), longest=1.0),
        Deed("the bus is stopped", partial(stopped, bus), shortest=10.0, longest=10.0),
    ]
    for name, node in nodes.items():
        deeds += [
            Deed(f"{name} is killed", partial(killed, node), longest=2.0),
            Deed(f"{name} stands still", partial(frozen, node), shortest=20.0, longest=20.0),
        ]
    for name, way in ways.items():
        for what, lines in (("the database", [way.database]), ("the bus", [way.bus]), ("both", [way.database, way.bus])):
            deeds += [
                Deed(f"{name} is cut off from {what}", partial(cut, *lines), shortest=1.0, longest=8.0),
                Deed(f"nothing passes between {name} and {what}", partial(stalled, *lines), shortest=1.0, longest=8.0),
            ]
    if watch is not None:
        deeds += [Deed(f"the clock jumps {hours:+g} h", partial(jumped, watch, hours * _HOUR)) for hours in (1, -1)]
    return deeds
