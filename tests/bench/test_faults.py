"""The whole generator, worker processes included, against a server that loses and doubles on purpose."""

import asyncio

import pytest

from hongyan.bench.figures import Result
from hongyan.bench.scenarios import SCENARIOS, Bench, Settings
from hongyan.bench.setup import Account, Rest

from .faulty import FaultyServer

PEOPLE = [Account(f"u{at}", f"u{at}") for at in range(8)]


async def run(scenario: str, server: FaultyServer, **settings: object) -> list[Result]:
    chosen = Settings(connections=8, seconds=0.3, warmup=0.0, rate=100.0, workers=2, group_size=4, **settings)  # type: ignore[arg-type]
    async with server:
        with Rest(f"http://127.0.0.1:{server.port}") as rest:
            bench = Bench(rest, PEOPLE, chosen, lambda text: None)
            return await asyncio.to_thread(SCENARIOS[scenario], bench)


@pytest.mark.parametrize("scenario", ["pairs", "group"])
async def test_honest_server_is_clean_and_every_delivery_counted(scenario: str) -> None:
    server = FaultyServer()
    (result,) = await run(scenario, server)
    assert result.clean
    assert result.messages == len(server.log) > 10
    assert result.deliveries == result.messages * (2 if scenario == "pairs" else 4)


async def test_all_transports_receive_everything() -> None:
    results = await run("transports", FaultyServer(), poll_interval=0.05)
    assert len(results) == 5
    assert all(result.clean and result.messages > 10 for result in results), results


async def test_lost_and_doubled_are_noticed() -> None:
    (result,) = await run("pairs", FaultyServer(lose={5, 17}, double={9, 10, 30}), drain=1.0)
    assert (result.lost, result.doubled) == (2, 3)
    assert not result.clean


async def test_storm_waits_as_told_and_loses_nothing() -> None:
    server = FaultyServer()
    async with asyncio.timeout(60):
        quiet, busy = await run("storm", server, missed=3)
    assert quiet.clean, quiet
    assert busy.clean, busy
    assert len(server.log) == 4 * 3


async def test_refused_handshakes_are_retried() -> None:
    result = (await run("idle", FaultyServer(busy=5)))[0]
    assert result.clean, result
    assert result.extra["answered a ping"] == 8
