"""Scheduled messages and kill -9: each goes exactly once, whenever the servers die."""

import random
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Begin
from tests.e2e.ledger import log_of
from tests.serving import wait_for

ROUNDS = 3
EACH = 40


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_each_goes_once_though_the_servers_are_killed_at_that_moment(begin: Begin, tmp_path: Path) -> None:
    dice = random.Random(22)
    with begin(tmp_path) as server:
        ann, _ = server.people("ann", "bob")
        lane = ann.group("项目组", "bob")
        cancelled: set[str] = set()
        for number in range(ROUNDS):
            due = int(time.time() * 1000) + 8_000
            for n in range(EACH):
                content = {"type": "text", "text": f"{number}-{n}"}
                body = {"kind": "send", "conversation": lane, "content": content, "due": due + n, "client_id": f"t{number}-{n}"}
                timer = ann.call("POST", "/v1/me/timers", body)
                if n % 10 == 0:
                    ann.call("DELETE", f"/v1/me/timers/{timer['id']}")
                    cancelled.add(content["text"])
            time.sleep(max(0.0, due / 1000 - time.time()) + dice.random() * 0.1)
            server.kill()
            server.start()
            wait_for(lambda: ann.call("GET", "/v1/me/timers")["timers"] == [], what="the end of all timers")
        sent = [event.content.decode() for event in log_of(server) if event.lane == lane and event.type == "message"]
        wanted = {f"{number}-{n}" for number in range(ROUNDS) for n in range(EACH)} - cancelled
        assert len(sent) == len(wanted)
        assert all(sum(f'"{text}"' in one for one in sent) == 1 for text in wanted)
