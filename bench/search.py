"""The search over many messages: how fast the index is built, how large it is, how long questions take.

    python bench/search.py sqlite:DIRECTORY [MESSAGES]
    python bench/search.py postgresql://USER@HOST:PORT/EMPTY_DATABASE [MESSAGES]

Makes a company of 2,000 conversations, each person in 20 to 200 of them and one, `all`, in every one, and writes the messages
straight into the tables of the log: half Chinese, of lengths as people write them, words by Zipf's law. Then indexes all of them
and asks questions of several kinds as three people. Prints one JSON map; milliseconds are of the service, with the snippets,
without HTTP.
"""

import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert, text

from hongyan.bus.local import LocalBus
from hongyan.config import Settings
from hongyan.core.model import Caller
from hongyan.features.search import Fields, Search
from hongyan.messaging import Messaging
from hongyan.messaging.tables import conversations, members, users
from hongyan.store import Store, Transaction
from hongyan.store.postgres import PostgresStore
from hongyan.store.schema import events
from hongyan.store.sqlite import SqliteStore

CONVERSATIONS = 2_000
PEOPLE = 500
BEGAN = 1_700_000_000_000
ROUNDS = 40
COMMON = "的一是了我不在有这个人们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
NAMED = ("项目", "会议", "下午", "文档", "版本", "接口", "测试", "客户", "合同", "上线", "数据", "周报", "代码", "问题")


class Words:
    """Texts with the statistics of a company's chat."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        han = [chr(code) for code in range(0x4E00, 0x4E00 + 3_000)]
        self._chinese = [*NAMED, *("".join(dice.choices(han, k=dice.choice((2, 2, 2, 3)))) for _ in range(20_000))]
        letters = "etaoinshrdlucmfwypvbgk"
        self._english = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(30_000)]
        self._chinese_weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(self._chinese))))
        self._english_weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(self._english))))

    def english(self, rank: int) -> str:
        return self._english[rank]

    def chinese(self, rank: int) -> str:
        return self._chinese[rank]

    def text(self, number: int) -> str:
        dice = self._dice
        length = max(1, min(int(dice.lognormvariate(1.9, 0.8)), 120))
        if number % 2:
            words = dice.choices(self._english, cum_weights=self._english_weights, k=length)
            found = " ".join(words)
        else:
            words = dice.choices(self._chinese, cum_weights=self._chinese_weights, k=length)
            found = "".join(word + dice.choice(("", "", dice.choice(COMMON), "，")) for word in words)
        if number % 50 == 0:
            found += f" https://example.com/issues/{number}"
        if number % 100_000 == 77:
            found += " zanzibar 桂林"
        return found


async def fill(store: Store, messages: int, dice: random.Random) -> Words:
    words = Words(dice)
    names = [f"user{number}" for number in range(PEOPLE)]
    inside: dict[int, list[str]] = {number: [] for number in range(CONVERSATIONS)}
    for name in names:
        for number in dice.sample(range(CONVERSATIONS), dice.randint(20, 200)):
            inside[number].append(name)
    rows: dict[str, list[dict[str, Any]]] = {"users": [], "conversations": [], "members": []}
    for name in [*names, "all"]:
        rows["users"].append({"id": name, "name": name, "folded": name, "admin": False, "disabled": False, "created": 1})
    for number, people in inside.items():
        rows["conversations"].append(
            {
                "id": f"c{number}",
                "kind": "group",
                "title": f"组 {number}",
                "history": "all",
                "member_count": len(people) + 1,
                "created": 1,
            }
        )
        for name in [*people, "all"]:
            rows["members"].append(
                {"conversation": f"c{number}", "user": name, "role": "member", "since_seq": 1, "first_seq": 1, "read_seq": 0}
            )

    def people_of(tx: Transaction) -> None:
        tx.connection.execute(insert(users), rows["users"])
        tx.connection.execute(insert(conversations), rows["conversations"])
        tx.connection.execute(insert(members), rows["members"])

    await store.transaction(people_of)
    heads = [0] * CONVERSATIONS
    for begin in range(1, messages + 1, 10_000):
        batch = []
        for position in range(begin, min(begin + 10_000, messages + 1)):
            lane = int(dice.paretovariate(0.7)) % CONVERSATIONS if dice.random() < 0.3 else dice.randrange(CONVERSATIONS)
            heads[lane] += 1
            batch.append(
                {
                    "position": position, "lane": f"c{lane}", "seq": heads[lane], "type": "message",
                    "sender": dice.choice(inside[lane] or ["all"]), "time": BEGAN + position * 60_000,
                    "client_id": f"x{position}",
                    "content": msgspec.json.encode({"type": "text", "text": words.text(position)}),
                }
            )  # fmt: skip
        await store.transaction(lambda tx, batch=batch: tx.connection.execute(insert(events), batch) and None)  # type: ignore[misc]
    return words


def questions(words: Words, dice: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Kinds, each with its questions."""
    ranks = [dice.randrange(3_000, 20_000) for _ in range(ROUNDS)]
    yield "rare word", [words.english(rank) for rank in ranks]
    yield "very rare word", ["zanzibar", "桂林"]
    yield "common word", [words.english(rank) for rank in range(20)]
    yield "two Chinese characters", [*NAMED, *(words.chinese(rank) for rank in ranks)]
    yield "single character", [*COMMON[:20], *"项会午文版"]
    yield "two common words", [f"{words.english(rank)} {words.english(rank + 1)}" for rank in range(20)]
    yield "four Chinese characters", [f"{one}{other}" for one, other in itertools.pairwise(NAMED)]
    yield "from:", [f"from:user{dice.randrange(PEOPLE)} {words.english(rank)}" for rank in range(20)]
    yield "from: alone", [f"from:user{dice.randrange(PEOPLE)}" for _ in range(20)]
    yield "in:", [f"in:c{dice.randrange(CONVERSATIONS)} {words.chinese(rank)}" for rank in range(20)]
    yield "has:link", ["has:link", f"has:link {words.english(3)}"]
    yield (
        "on a day",
        [f"on:{time.strftime('%Y-%m-%d', time.gmtime(BEGAN / 1000 + 86400 * day))} {words.chinese(2)}" for day in (3, 40)],
    )
    yield "nothing found", ["qqqqzzzz", "龘龘", f"{words.english(0)} {words.chinese(0)} qqqqzzzz"]
    yield "words that never meet", [f"{words.english(rank)} {words.chinese(rank)}" for rank in range(3)]
    yield "phrase", [f'"{words.english(rank)} {words.english(0)}"' for rank in range(1, 10)]


def percentile(values: Sequence[float], part: float) -> float:
    return round(sorted(values)[min(int(len(values) * part), len(values) - 1)], 1)


def size_of(place: str, store: Store) -> Any:
    if isinstance(store, SqliteStore):

        def read(connection: Any) -> dict[str, int]:
            tables = ("search_index_data", "search_index_idx", "search_index_content", "events")
            page = "SELECT sum(pgsize) FROM dbstat WHERE name = :name"
            try:
                return {name: connection.execute(text(page), {"name": name}).scalar() // 2**20 for name in tables}
            except Exception:  # a SQLite without dbstat
                rows = "SELECT sum(length(block)) FROM search_index_data"
                content = "SELECT sum(length(CAST(c0 AS BLOB))) FROM search_index_content"
                return {
                    "data": connection.execute(text(rows)).scalar() // 2**20,
                    "content": connection.execute(text(content)).scalar() // 2**20,
                }

        return read
    names = ("search_index", "ix_search_index_tokens", "pk_search_index", "search_index_pkey", "events")
    return lambda connection: {
        name: connection.execute(text("SELECT pg_relation_size(to_regclass(:name))"), {"name": name}).scalar() // 2**20
        for name in names
        if connection.execute(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": name}).scalar()
    }


async def run(place: str, messages: int) -> dict[str, Any]:
    dice = random.Random(7)
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
    search = Search(store, messaging.log, settings, lambda: 0)
    filled = await store.read(lambda connection: connection.execute(text("SELECT count(*) FROM events")).scalar())
    words = Words(dice)
    began = time.monotonic()
    if not filled:
        words = await fill(store, messages, random.Random(7))
    told: dict[str, Any] = {"messages": messages, "fill_seconds": round(time.monotonic() - began), "load": os.getloadavg()}
    await search.start()
    await search.stop()
    search.indexer.position = search.indexer.position
    began, cpu, before = time.monotonic(), time.process_time(), search.indexer.indexed
    while await search.indexer.step():
        pass
    made = search.indexer.indexed - before
    if made:
        took = time.monotonic() - began
        told["index"] = {
            "messages/s": round(made / took),
            "own CPU s/10k": round((time.process_time() - cpu) / made * 10_000, 2),
        }
    if not place.startswith("sqlite:"):
        await asyncio.to_thread(_analyse, place)
    told["MiB"] = await store.read(size_of(place, store))
    for user in ("all", "user1", "user2"):
        caller = Caller(user, user, False, user, "bench")
        told[user] = {}
        for kind, asked in questions(words, random.Random(3)):
            delays, hits = [], 0
            for number in range(ROUNDS):
                began = time.perf_counter()
                found = await search.messages(caller, asked[number % len(asked)], Fields())
                delays.append((time.perf_counter() - began) * 1000)
                hits += len(found.hits)
            told[user][kind] = {
                "p50": percentile(delays, 0.5), "p95": percentile(delays, 0.95), "p99": percentile(delays, 0.99),
                "hits": round(hits / ROUNDS, 1),
            }  # fmt: skip
            print(user, kind, told[user][kind], file=sys.stderr)
        began = time.perf_counter()
        await search.messages(caller, words.english(1), Fields(), order="relevance")
        told[user]["relevance ms"] = round((time.perf_counter() - began) * 1000, 1)
    told["load after"] = os.getloadavg()
    await messaging.stop()
    return told


def _analyse(url: str) -> None:
    import asyncpg

    async def go() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    asyncio.run(go())


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)), ensure_ascii=False))
