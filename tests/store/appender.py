"""Another process that writes to a store: python -m tests.store.appender DATABASE NAME COUNT

DATABASE is the file of SQLite or the URL of PostgreSQL. Keeps events in flight until COUNT are acknowledged (0: for ever), some
in transactions and some twice. Prints "open", and then a line for each acknowledged one: its client id and its position.
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from hongyan.store import Appended, Refused, Store
from hongyan.store.postgres import PostgresStore
from hongyan.store.sqlite import SqliteStore
from tests.store.build import draft

IN_FLIGHT = 200


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode("ascii"))


def store_at(place: str) -> Store:
    if "://" in place:
        return PostgresStore(place, queue=10_000, readers=1)
    return SqliteStore(Path(place), queue=10_000, readers=1, checkpoint_pages=50)


async def run(place: str, name: str, count: int) -> None:
    store = store_at(place)
    await store.start(lambda batch: None)
    tell("open")
    acknowledged = made = 0
    dice = random.Random(name)
    finished = asyncio.get_running_loop().create_future()
    tasks: set[asyncio.Task[None]] = set()

    def told(client_id: str, outcome: Appended | Refused) -> None:
        nonlocal acknowledged
        if not isinstance(outcome, Appended):
            raise outcome
        tell(f"{client_id} {outcome.position}")
        acknowledged += 1
        if acknowledged == count:
            finished.set_result(None)
        elif not count or acknowledged + IN_FLIGHT <= count:
            send()

    async def in_transaction(client_id: str, lane: str) -> None:
        told(client_id, await store.transaction(lambda tx: tx.append(draft(lane, client_id, name, bumps=True))))

    def send() -> None:
        nonlocal made
        made += 1
        client_id, lane = f"{name}-{made}-{time.time_ns()}", f"room{dice.randrange(9)}"
        if made % 10 == 0:
            task = asyncio.ensure_future(in_transaction(client_id, lane))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        else:
            store.append(draft(lane, client_id, name), lambda outcome: told(client_id, outcome))
        if made % 50 == 0:
            store.append(draft(lane, client_id, name), lambda outcome: None)

    for _ in range(min(IN_FLIGHT, count or IN_FLIGHT)):
        send()
    await finished
    await store.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
