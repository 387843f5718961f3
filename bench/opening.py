"""Opening things: the start of somebody with many conversations, and the newest page of a conversation that has become long.

    .venv/bin/python bench/opening.py [--conversations 2000] [--long 1000000] [--store postgresql://USER@HOST:PORT/DB]

The events are written into the store directly; what is measured are the services' own calls, which a request is made of, and
the encoding of their answer. The long conversation and a short one are opened in turns. A page with many acts on its messages is
measured too. Prints the median and the 95th percentile in milliseconds.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert

from hongyan.bus.local import LocalBus
from hongyan.config import Settings
from hongyan.core import acts
from hongyan.core.content import Text
from hongyan.core.model import Caller
from hongyan.gateways.web.frames import history_body
from hongyan.messaging import Messaging
from hongyan.messaging.membership import Joining, create
from hongyan.operation.opening import store_of
from hongyan.store import Draft, Store, Transaction, migrate, reading
from hongyan.store.schema import events

CONTENT = '{"type":"text","text":"一会儿见，我把纪要发到群里。"}'.encode()
PEOPLE = 20
_AT_ONCE = 5_000


def caller(user: str) -> Caller:
    return Caller(user, user, False, f"token-{user}", "bench")


async def fill(store: Store, lane: str, count: int) -> None:
    """So many more messages of a lane."""
    for begin in range(0, count, _AT_ONCE):

        def write(tx: Transaction, begin: int = begin) -> None:
            position = reading.head(tx.connection)
            seq = reading.lane_head(tx.connection, lane)
            some = min(_AT_ONCE, count - begin)
            rows = [
                {
                    "position": position + n,
                    "lane": lane,
                    "seq": seq + n,
                    "type": "message",
                    "sender": f"user{n % PEOPLE}",
                    "time": 1_700_000_000_000 + position + n,
                    "client_id": None,
                    "content": CONTENT,
                }
                for n in range(1, some + 1)
            ]
            tx.connection.execute(insert(events), rows)

        await store.transaction(write)


async def measured(name: str, call: Callable[[], Awaitable[Any]], rounds: int) -> None:
    times = []
    size = 0
    for _ in range(rounds):
        began = time.perf_counter()
        size = len(await call())
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
    print(f"{name:58} median {statistics.median(times):8.2f} ms   p95 {p95:8.2f} ms   {size / 1024:8.1f} KiB", flush=True)


async def run(arguments: argparse.Namespace, place: str) -> None:
    settings = Settings(data=Path(place), store=arguments.store)
    if settings.shares_store:
        migrate.upgrade(settings.store)
    store = store_of(settings)
    messaging = Messaging(store, LocalBus(), settings)
    await messaging.start()
    try:
        users = [f"user{number}" for number in range(PEOPLE)]
        if not await messaging.people.names(users[:1]):
            await store.transaction(lambda tx: messaging.people.add_many(tx, [(user, user, False) for user in users], 1))
        ids = [f"room{number:06}" for number in range(arguments.conversations)]
        for at in range(0, len(ids), 200):

            def make(tx: Transaction, at: int = at) -> None:
                for number, id in enumerate(ids[at : at + 200]):
                    people = [Joining(users[0], users[0], "owner"), *(Joining(user, user) for user in users[1 : 2 + number % 9])]
                    create(tx, id, "group", f"项目组 {id}", "all", None, people, 1, by=users[0])
                    tx.append_all([Draft(id, "message", users[1], 1_700_000_000_000, CONTENT) for _ in range(10)])

            await store.transaction(make)
        await fill(store, ids[0], arguments.long)
        await fill(store, ids[1], 90)
        for seq in range(20, 90):
            for user in users[:1]:
                await messaging.acts.act(caller(user), ids[1], acts.React(seq, "👍"))
        await messaging.sender.send(caller(users[0]), ids[1], "last", Text("看", mentions=("user1",)))

        async def snapshot() -> bytes:
            return msgspec.json.encode(await messaging.conversations.snapshot(caller(users[0])))

        def page(lane: str, before: int | None = None) -> Callable[[], Awaitable[bytes]]:
            async def opened() -> bytes:
                found = await messaging.history.page(caller(users[0]), lane, before=before, limit=100)
                return history_body(found, newest=True)

            return opened

        await snapshot()
        await measured(f"start with {arguments.conversations:,} conversations", snapshot, 20)
        await measured(f"newest 100 of {arguments.long:,} messages", page(ids[0]), 200)
        await measured("newest 100 of 100 messages", page(ids[2]), 200)
        await measured("newest 100, with a reaction on 70 of them", page(ids[1]), 200)
        await measured(f"100 from the middle of {arguments.long:,}", page(ids[0], arguments.long // 2), 200)
    finally:
        await messaging.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=2_000)
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--store", default="sqlite:")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-") as place:
        asyncio.run(run(arguments, place))


if __name__ == "__main__":
    main()
