"""Rules 1 to 3: what was acknowledged is there after kill -9, once, in its place; and what was not can be sent again."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.devices import TRANSPORTS, Crowd, place
from tests.e2e.ledger import Ledger, log_of, send_again, under_load, whole_history
from tests.e2e.sockets import Lost
from tests.serving import Person

ROUNDS = 20
ROUNDS_OF_A_CLUSTER = 3


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_and_nothing_comes_twice_in_kills_under_load(begin: Begin, tmp_path: Path) -> None:
    dice = random.Random(8440)
    with begin(tmp_path) as server:
        rounds = ROUNDS if server.shared is None else ROUNDS_OF_A_CLUSTER
        people = server.people("ann", "bob", "cai", "dan")
        ann, *_, reader = people
        lanes = [ann.group("项目组", "bob", "cai", "dan"), ann.group("闲聊", "bob", "cai", "dan", history="all"), "lobby"]
        cursor = reader.cursor()
        ledger, titles = Ledger(), {lanes[0]: {"项目组"}}
        async with Crowd(server) as crowd:
            device = await crowd.device(reader, "msgpack", cursor)
            for _ in range(rounds):
                async with under_load(crowd, ledger, people, lanes) as load:
                    renaming = asyncio.create_task(_rename(crowd, ann, lanes[0], titles))
                    await load.acknowledged(dice.randint(1, 500))
                    server.kill()
                    await load.ended()
                    await renaming
                await device.end()  # what was on its way still comes
                server.start()
                assert ann.call("GET", f"/v1/conversations/{lanes[0]}")["title"] in titles[lanes[0]]
                titles[lanes[0]] = {ann.call("GET", f"/v1/conversations/{lanes[0]}")["title"]}
                before = dice.sample(sorted(ledger.acked), min(20, len(ledger.acked)))
                await send_again(crowd, ledger, [*ledger.unknown, *before])
                await device.connect(dice.choice(TRANSPORTS))
            last = reader.send("lobby", "末", "last")
            await device.until(lambda: device.at >= last["position"])
        log = log_of(server)
        ledger.compare(event for event in log if event.client_id != "last")
        assert len(ledger.acked) == len(ledger.sent) > 100 * rounds

        given = [(event["conversation"], event["seq"], place(event["cursor"])) for event in device.events]
        wanted = [(event.lane, event.seq, event.position) for event in log if event.lane in lanes]
        assert given == [one for one in wanted if one[2] > place(cursor)]
        assert [event["cursor"] for event in reader.events_after(cursor)] == [event["cursor"] for event in device.events]
        for lane in lanes:
            shown = [(event["conversation"], event["seq"], place(event["cursor"])) for event in whole_history(reader, lane)]
            first = shown[0][1]
            assert shown == [one for one in wanted if one[0] == lane and one[1] >= first]


async def _rename(crowd: Crowd, person: Person, lane: str, titles: dict[str, set[str]]) -> None:
    """Change the title again and again; `titles` are those that it may have."""
    number = 0
    try:
        while True:
            number += 1
            titles[lane].add(f"第 {number} 版")
            answer = await crowd.call(person, "PATCH", f"/v1/conversations/{lane}", {"title": f"第 {number} 版"})
            titles[lane] = {answer["title"]}
    except Lost:
        pass
