"""What the indexer of the search costs those who send: the same load with it and without it, by turns, in one process.

    python bench/search_sending.py sqlite:DIRECTORY [SECONDS]
    python bench/search_sending.py postgresql://USER@HOST:PORT/EMPTY_DATABASE [SECONDS]

Services without the network. `full`: 100 senders, each with one message under way. `paced`: 500 a second. Prints a map in
JSON.
"""

import asyncio
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from hongyan.bus.local import LocalBus
from hongyan.config import Settings
from hongyan.core.content import Text
from hongyan.core.model import Caller
from hongyan.features.search import Search
from hongyan.messaging import Messaging
from hongyan.store.postgres import PostgresStore
from hongyan.store.sqlite import SqliteStore

SENDERS = 100
PACE = 500
TURNS = 3
TEXT = "这个版本的接口文档我已经更新了，大家看一下有没有问题 see https://ci.example.com/job/42"
_numbers = itertools.count()


async def send(messaging: Messaging, conversation: str, user: str, delays: list[float]) -> None:
    began = time.perf_counter()
    caller = Caller(user, user, False, user, "bench")
    await messaging.sender.send(caller, conversation, f"c{next(_numbers)}", Text(TEXT))
    delays.append((time.perf_counter() - began) * 1000)


async def full(messaging: Messaging, conversation: str, seconds: float) -> list[float]:
    delays: list[float] = []
    until = time.monotonic() + seconds

    async def one(user: str) -> None:
        while time.monotonic() < until:
            await send(messaging, conversation, user, delays)

    await asyncio.gather(*(one(f"user{number}") for number in range(SENDERS)))
    return delays


async def paced(messaging: Messaging, conversation: str, seconds: float) -> list[float]:
    delays: list[float] = []
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(PACE * seconds)):
            if (wait := began + number / PACE - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            group.create_task(send(messaging, conversation, f"user{number % SENDERS}", delays))
    return delays


async def run(place: str, seconds: float) -> dict[str, Any]:
    settings = Settings()
    log = settings.log
    store: Any
    if place.startswith("sqlite:"):
        store = SqliteStore(
            Path(place[7:]) / "hongyan.db", queue=log.queue, readers=log.readers, checkpoint_pages=log.checkpoint_pages
        )
    else:
        store = PostgresStore(place, queue=log.queue, readers=log.readers)
    messaging = Messaging(store, LocalBus(), settings)
    await messaging.start()
    people = [(f"user{number}", f"user{number}", False) for number in range(SENDERS)]
    await store.transaction(lambda tx: messaging.people.add_many(tx, people, 1))
    told: dict[str, Any] = {"load": os.getloadavg()}
    for load in (full, paced):
        for indexing in (False, True) * TURNS:
            search = Search(store, messaging.log, settings, lambda: store.stats.queued)
            await search.start()
            if not indexing:
                await search.stop()
            cpu, began, before = time.process_time(), time.monotonic(), search.indexer.position
            delays = sorted(await load(messaging, "lobby", seconds))
            took, spent = time.monotonic() - began, time.process_time() - cpu
            await search.stop()
            named = f"{load.__name__}, {'indexing' if indexing else 'not indexing'}"
            told.setdefault(named, []).append(
                {
                    "messages/s": round(len(delays) / took),
                    "CPU s/10k": round(spent / len(delays) * 10_000, 2),
                    "p50": round(delays[len(delays) // 2], 1),
                    "p99": round(delays[int(len(delays) * 0.99)], 1),
                    "indexed": search.indexer.position - before,
                }
            )
            await search.indexer.reach(messaging.log.position, 60.0)
    await messaging.stop()
    return told


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 5.0)), indent=1))
