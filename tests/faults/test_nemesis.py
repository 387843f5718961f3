"""Faults begin, last and are mended, whatever happens meanwhile."""

import asyncio
import contextlib
import random
from collections.abc import Callable

import pytest

from tests.faults.history import Fault, History
from tests.faults.nemesis import Deed, Nemesis, cut, frozen, jumped, killed, stalled, stopped
from tests.faults.plagues import Ways, plagues


class Thing:
    """Anything that faults are done to; `did` has what was done to all of them."""

    def __init__(self, name: str, did: list[str], failing: str = "") -> None:
        self._name = name
        self._did = did
        self._failing = failing

    def __getattr__(self, verb: str) -> Callable[..., None]:
        def do(*arguments: float) -> None:
            self._did.append(" ".join([self._name, verb, *map(str, arguments)]))
            if verb == self._failing:
                raise OSError(verb)

        return do


async def at_once(dice: random.Random) -> None:
    """A moment that does not wait."""


async def test_each_fault_is_undone() -> None:
    did: list[str] = []
    node, base = Thing("node", did), Thing("base", did)
    for fault, wanted in [
        (killed(node, base), ["node kill", "base kill", "base start", "node start"]),
        (stopped(base), ["base stop", "base start"]),
        (frozen(node), ["node freeze", "node thaw"]),
        (cut(node, base), ["node cut", "base cut", "base heal", "node heal"]),
        (stalled(node), ["node stall", "node heal"]),
        (jumped(node, 3600), ["node jump 3600", "node jump -3600"]),
    ]:
        did.clear()
        async with fault:
            assert did == wanted[: len(wanted) // 2]
        assert did == wanted


async def test_fault_is_undone_when_only_a_part_was_done() -> None:
    did: list[str] = []
    with pytest.raises(OSError, match="cut"):
        async with cut(Thing("one", did), Thing("other", did, failing="cut")):
            raise AssertionError("it never began")
    assert did == ["one cut", "other cut", "other heal", "one heal"]


async def test_fault_is_undone_and_noted_when_the_run_is_given_up() -> None:
    did: list[str] = []
    history = History()
    nemesis = Nemesis(history, seed=1, moment=at_once)
    task = asyncio.create_task(nemesis.do(Deed("frozen", lambda: frozen(Thing("node", did)), 60, 60)))
    while not did:
        await asyncio.sleep(0.001)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert did == ["node freeze", "node thaw"]
    assert [fault.name for fault in history.of(Fault)] == ["frozen"]


async def test_same_seed_does_the_same_and_each_deed_comes_before_any_comes_again(capsys: pytest.CaptureFixture[str]) -> None:
    def deed(name: str, did: list[str]) -> Deed:
        return Deed(name, lambda: frozen(Thing(name, did)), 0, 0)

    orders = []
    for seed in (5, 5, 6):
        did: list[str] = []
        history = History()
        await Nemesis(history, seed=seed, moment=at_once).torment([deed(name, did) for name in "abcd"], rounds=12)
        order = [fault.name for fault in history.of(Fault)]
        assert did == [f"{name} {verb}" for name in order for verb in ("freeze", "thaw")]
        assert [sorted(order[at : at + 4]) for at in (0, 4, 8)] == [list("abcd")] * 3
        orders.append(order)
    assert orders[0] == orders[1] != orders[2]
    assert "seed 6" in capsys.readouterr().out


async def test_every_plague_begins_and_is_undone() -> None:
    did: list[str] = []
    database, bus, watch = Thing("database", did), Thing("bus", did), Thing("watch", did)
    nodes = {name: Thing(name, did) for name in ("one", "other")}
    ways = {name: Ways(Thing(f"{name}-database", did), Thing(f"{name}-bus", did)) for name in nodes}
    deeds = plagues(nodes, ways, database, bus, watch)
    assert len({deed.name for deed in deeds}) == len(deeds) == 2 + 2 * (2 + 6) + 2
    for deed in deeds:
        did.clear()
        async with deed.begin():
            done = len(did)
        assert 0 < done == len(did) - done, deed.name
