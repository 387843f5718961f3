"""Rule 13: when a token ends, by whatever, everything it keeps open ends at once, with the verdict to log in; others go on."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.e2e.devices import STREAMS, Crowd, Device
from tests.e2e.sockets import Lost
from tests.serving import PASSWORD, Person, Refused, Server

SOON = 2.0
"""Another process's change is looked for every half second."""
NEW = "another goose 8440"
End = Callable[[Server, Crowd, Person], Awaitable[None]]


async def by_logout(server: Server, crowd: Crowd, person: Person) -> None:
    await crowd.call(person, "POST", "/v1/logout")


async def by_ending_the_token(server: Server, crowd: Crowd, person: Person) -> None:
    other = await asyncio.to_thread(server.login, person.id)
    await crowd.call(other, "DELETE", f"/v1/tokens/{person.token_id}")


async def by_a_new_password(server: Server, crowd: Crowd, person: Person) -> None:
    other = await asyncio.to_thread(server.login, person.id)
    await crowd.call(other, "POST", "/v1/password", {"old": PASSWORD, "new": NEW})
    assert (await crowd.call(other, "GET", "/v1/me"))["id"] == person.id


async def by_the_command_passwd(server: Server, crowd: Crowd, person: Person) -> None:
    await command(server, "user", "passwd", person.id, "--password-stdin", input=NEW)


async def by_the_command_disable(server: Server, crowd: Crowd, person: Person) -> None:
    await command(server, "user", "disable", person.id)


async def command(server: Server, *words: str, input: str = "") -> None:
    done: subprocess.CompletedProcess[str] = await asyncio.to_thread(server.command, *words, input=input)
    assert done.returncode == 0, done.stderr


WAYS = [by_logout, by_ending_the_token, by_a_new_password, by_the_command_passwd, by_the_command_disable]


@pytest.mark.parametrize("end", WAYS)
async def test_end_of_a_token_ends_all_it_has_open_and_nothing_else(server: Server, crowd: Crowd, end: End) -> None:
    name = end.__name__.replace("_", "-")
    ann, bob = server.people(f"ann-{name}", f"bob-{name}")
    lane = ann.direct(bob.id)
    open_here = [await crowd.device(ann, transport) for transport in STREAMS]
    others = [await crowd.device(bob, transport) for transport in STREAMS]
    by_first_frame = await browser(server, ann)
    await crowd.send(bob, lane, "一")
    for device in [*open_here, *others]:
        await device.given(1)
        assert device.texts(lane) == ["一"]

    await end(server, crowd, ann)
    async with asyncio.timeout(SOON):
        ends = await asyncio.gather(*(device.end() for device in open_here))
        assert await by_first_frame() == 4003
    for device, how in zip(open_here, ends, strict=True):
        if device.transport == "longpoll":
            assert isinstance(how, Refused)
            assert (how.status, how.code) == (401, "not-authenticated")
        else:
            assert isinstance(how, dict)
            assert how["do"] == "login"

    await crowd.send(bob, lane, "二")
    for transport in ("poll", *STREAMS):
        device = Device(crowd, ann)
        device.begin(transport)
        how = await device.end()
        assert isinstance(how, Refused)
        assert how.status == 401
    for method, path in (("GET", "/v1/me"), ("GET", f"/v1/conversations/{lane}/events"), ("POST", "/v1/logout")):
        with pytest.raises(Refused, match="not-authenticated"):
            await crowd.call(ann, method, path)
    with pytest.raises(Refused, match="not-authenticated"):
        await crowd.send(ann, lane, "三")
    for device in others:
        await device.given(2)
        assert device.texts(lane) == ["一", "二"]
        assert not device.ended
    for device in open_here:
        assert device.texts(lane) == ["一"]


async def browser(server: Server, person: Person) -> Callable[[], Awaitable[int | None]]:
    """A WebSocket whose token came in the first frame; gives a way to wait for its end and the code."""
    connection = await connect(f"ws://127.0.0.1:{server.port}/v1/events/ws", subprotocols=[Subprotocol("hongyan.json")])
    await connection.send(json.dumps({"op": "auth", "token": person.token}))
    assert json.loads(await connection.recv())["op"] == "ack"

    async def ended() -> int | None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.recv()
        return connection.close_code

    return ended


async def test_nothing_is_sent_by_a_token_that_has_ended_while_it_was_sending(server: Server, crowd: Crowd) -> None:
    ann, bob = server.people("ann-busy", "bob-busy")
    lane = ann.direct(bob.id)
    for codec in ("json", "msgpack"):
        device = await crowd.device(server.login(ann.id), codec)
        assert device.socket is not None
        socket, before = device.socket, len(bob.texts(lane))
        on_their_way = [await socket.post(lane, f"{codec} {number}") for number in range(200)]
        await crowd.call(device.person, "POST", "/v1/logout")
        outcomes = await asyncio.gather(*on_their_way, return_exceptions=True)
        stored = len(bob.texts(lane)) - before  # what was on its way to a database of its own may still get there
        assert all(isinstance(outcome, dict | Lost) for outcome in outcomes)
        late = [await socket.post(lane, f"{codec} late {number}") for number in range(20)]
        for outcome in await asyncio.gather(*late, return_exceptions=True):
            assert isinstance(outcome, Lost)
        how = await device.end()
        assert isinstance(how, dict)
        assert how["do"] == "login"
        assert len(bob.texts(lane)) - before == stored
        assert stored >= sum(isinstance(outcome, dict) for outcome in outcomes)


async def test_disabled_account_comes_back_only_when_it_is_enabled(server: Server, crowd: Crowd) -> None:
    (ann,) = server.people("ann-back")
    await command(server, "user", "disable", ann.id)
    with pytest.raises(Refused, match="wrong-password"):
        server.login(ann.id)
    await command(server, "user", "enable", ann.id)
    async with asyncio.timeout(SOON):
        while not await asyncio.to_thread(refused, ann):
            await asyncio.sleep(0.05)
    assert server.login(ann.id).call("GET", "/v1/me")["id"] == ann.id


def refused(person: Person) -> bool:
    try:
        person.call("GET", "/v1/me")
    except Refused as refusal:
        return refusal.code == "not-authenticated"
    return False
