"""Rule 2: one send is one message, whatever the number of its twins, their transports and their moment."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.e2e.devices import Crowd
from tests.e2e.ledger import log_of
from tests.e2e.sockets import Frame, open_socket
from tests.serving import Person, Refused, Server, new_client_id

TWINS = 50
Say = Callable[[str, str, str], Coroutine[Any, Any, Frame]]


async def mouths(crowd: Crowd, person: Person, count: int = TWINS) -> list[Say]:
    """Ways to send, each over a connection of its own: REST and both kinds of WebSocket."""

    async def rest(lane: str, text: str, client_id: str) -> Frame:
        return await crowd.send(person, lane, text, client_id)

    ways: list[Say] = []
    for number in range(count):
        if number % 2:
            ways.append(rest)
        else:
            device = await crowd.device(person, "json" if number % 4 else "msgpack")
            assert device.socket is not None
            ways.append(device.socket.send)
    await asyncio.gather(*(crowd.call(person, "GET", "/v1/me") for _ in range(count // 2)))  # connections, made before
    return ways


async def test_fifty_twins_at_once_are_one_message_and_get_one_answer(server: Server, crowd: Crowd) -> None:
    ann, _ = server.people("ann", "bob")
    lane = ann.direct("bob")
    ways, dice = await mouths(crowd, ann), random.Random(8440)
    for number in range(20):
        dice.shuffle(ways)
        client_id = new_client_id()
        answers = await asyncio.gather(*(say(lane, f"第 {number} 条", client_id) for say in ways))
        assert len({(answer["seq"], answer["position"]) for answer in answers}) == 1
        assert answers[0]["seq"] == number + 2  # after `create`
    assert ann.texts(lane) == [f"第 {number} 条" for number in range(20)]
    log_of(server)


async def test_of_twins_in_two_conversations_one_is_stored_and_the_others_are_told(server: Server, crowd: Crowd) -> None:
    ann, *_ = server.people("ann1", "bob1", "cai1")
    lanes = [ann.direct("bob1"), ann.direct("cai1")]
    ways = await mouths(crowd, ann, 20)
    for number in range(10):
        client_id = new_client_id()
        sends = [say(lanes[at // 2 % 2], str(number), client_id) for at, say in enumerate(ways)]
        answers = await asyncio.gather(*sends, return_exceptions=True)
        stored = [answer for answer in answers if isinstance(answer, dict)]
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert (len(stored), len(refused)) == (10, 10), answers
        assert len({(answer["seq"], answer["position"]) for answer in stored}) == 1
        assert {answer.code for answer in refused} == {"client-id-reused"}
    texts = [ann.texts(lane) for lane in lanes]
    assert sorted(texts[0] + texts[1], key=int) == [str(number) for number in range(10)]


async def test_the_same_client_id_of_another_sender_is_another_message(server: Server, crowd: Crowd) -> None:
    ann, bob = server.people("ann2", "bob2")
    lane, client_id = ann.direct("bob2"), new_client_id()
    answers = await asyncio.gather(crowd.send(ann, lane, "一", client_id), crowd.send(bob, lane, "二", client_id))
    assert {answer["seq"] for answer in answers} == {2, 3}
    assert sorted(ann.texts(lane)) == ["一", "二"]


@pytest.mark.parametrize("codec", ["json", "msgpack"])
async def test_a_send_whose_answer_was_not_heard_is_not_stored_again(server: Server, crowd: Crowd, codec: Any) -> None:
    ann, bob = server.people(f"ann-{codec}", f"bob-{codec}")
    lane = ann.direct(bob.id)
    reader = await crowd.device(bob, "sse")
    for number in range(10):
        client_id = new_client_id()
        for _ in range(3):
            async with open_socket(server, ann, codec) as socket:  # nobody reads from it
                await socket.post(lane, str(number), client_id)
                await reader.given(number + 1)
        assert (await crowd.send(ann, lane, "another text", client_id))["seq"] == number + 2
    assert ann.texts(lane) == [str(number) for number in range(10)]
