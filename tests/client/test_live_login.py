"""Tokens: kept, ended, changed, and never shown to anybody else."""

import asyncio
from pathlib import Path

import pytest

from hongyan.client import Client, ClientError, Closed, StateInUse
from hongyan.client.saved import Saved
from hongyan.core.errors import Forbidden, Invalid, NotAuthenticated, NotFound, TooLarge, WrongPassword

from ..serving import PASSWORD, Server
from .live import Reader, joined, names, open_client, until

ALL = ("websocket", "sse", "longpoll", "poll")


@pytest.mark.parametrize("transport", ALL)
async def test_ended_token_is_a_state_and_a_new_log_in_goes_on(server: Server, transport: str) -> None:
    ann, bob = names(server, "ann", "bob")
    a, b = await joined(server, ann), await joined(server, bob, transport=transport)
    async with a.client, b.client:
        lane = (await a.client.create_direct(bob)).id
        await a.client.send(lane, "一")
        await until(lambda: b.texts(lane) == ["一"])
        assert server.command("user", "passwd", bob, "--password-stdin", input="another password\n").returncode == 0
        await until(lambda: b.client.link.connection == "login")
        with pytest.raises(NotAuthenticated):
            await b.client.whoami()
        await a.client.send(lane, "二")
        waiting = b.client.post(lane, "等一下")
        with pytest.raises(WrongPassword):
            await b.client.login(bob, PASSWORD, "test")
        session = await b.client.login(bob, "another password", "test")
        assert session.change_password
        await asyncio.wait_for(waiting, 10)
        await until(lambda: b.texts(lane) == ["一", "二", "等一下"])


async def test_log_out_ends_the_token_everywhere(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    a = await joined(server, ann, state=tmp_path)
    other = open_client(server.url, token=a.client._rest.token)
    async with a.client, other:
        assert (await other.whoami()).id == ann
        await a.client.logout()
        assert not a.client.has_token
        assert not (tmp_path / "session.json").exists()
        await until(lambda: a.client.link.connection == "login")
        with pytest.raises(NotAuthenticated):
            await other.whoami()


@pytest.mark.parametrize("transport", ALL)
async def test_ended_token_is_forgotten_and_whoever_waits_is_told(server: Server, tmp_path: Path, transport: str) -> None:
    (ann,) = names(server, "ann")
    a = await joined(server, ann, state=tmp_path, transport=transport)
    async with a.client:
        waiting = asyncio.create_task(a.client.wait_closed())
        await until(lambda: a.client.link.connection == "online")
        assert not waiting.done()
        assert server.command("user", "passwd", ann, "--password-stdin", input="another password\n").returncode == 0
        with pytest.raises(NotAuthenticated):
            await asyncio.wait_for(waiting, 10)
        assert not a.client.has_token
        with pytest.raises(NotAuthenticated):
            await asyncio.wait_for(a.client.wait_closed(), 10)
        await a.client.login(ann, "another password", "test")
        waiting = asyncio.create_task(a.client.wait_closed())
        await until(lambda: a.client.link.connection == "online")
        assert not waiting.done()
        await a.client.close()
        await asyncio.wait_for(waiting, 10)


async def test_token_that_ended_meanwhile_is_refused_once(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    async with open_client(server.url, tmp_path) as client:
        token = (await client.login(ann, PASSWORD, "test")).token
    other = await joined(server, ann, token=token)
    async with other.client:
        assert server.command("user", "passwd", ann, "--password-stdin", input="another password\n").returncode == 0
        await until(lambda: other.client.link.connection == "login")  # the server has heard of it
    async with open_client(server.url, tmp_path) as client:
        assert client.has_token
        with pytest.raises(NotAuthenticated):
            await client.start()
    async with open_client(server.url, tmp_path) as client:
        assert not client.has_token
        await client.login(ann, "another password", "test")
        await client.start()


async def test_token_is_kept_and_used_again(server: Server, tmp_path: Path) -> None:
    (ann,) = names(server, "ann")
    async with open_client(server.url, tmp_path) as client:
        assert not client.has_token
        await client.login(ann, PASSWORD, "test")
    async with open_client(server.url, tmp_path) as client:
        assert client.has_token
        assert client.me is not None
        assert (await client.whoami()).id == client.me.id == ann
        with pytest.raises(StateInUse):
            open_client(server.url, tmp_path)
    async with open_client(server.url.replace("127.0.0.1", "localhost"), tmp_path) as client:
        assert not client.has_token


async def test_wrong_password_leaves_the_token_that_was_there(server: Server) -> None:
    (ann,) = names(server, "ann")
    a = await joined(server, ann)
    async with a.client:
        with pytest.raises(WrongPassword):
            await a.client.login(ann, "wrong wrong", "test")
        assert (await a.client.whoami()).id == ann
        assert "login" not in [link.connection for link in a.links]


async def test_somebody_elses_log_in_is_refused_while_following(server: Server) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await joined(server, ann)
    async with a.client:
        with pytest.raises(ClientError, match=ann):
            await a.client.login(bob, PASSWORD, "test")
        assert (await a.client.whoami()).id == ann


async def test_unsent_messages_wait_for_their_own_sender(server: Server, tmp_path: Path) -> None:
    ann, bob = names(server, "ann", "bob")
    async with open_client(server.url, tmp_path) as client:
        await client.login(ann, PASSWORD, "test")
        lane = (await client.create_direct(bob)).id
    server_away = Client(server.url, state=tmp_path)
    await server_away._rest.close()
    server_away.post(lane, "von ann")
    await server_away.close()
    async with open_client(server.url, tmp_path) as client:
        await client.login(bob, PASSWORD, "test")
        await client.start()
        await client.send(lane, "von bob")
        await client.sent_all()
        texts = [(event.sender, event.text) for event in (await client.history(lane)).events if event.type == "message"]
        assert texts == [(bob, "von bob")]
    async with open_client(server.url, tmp_path) as client:
        await client.login(ann, PASSWORD, "test")
        await client.start()
        await client.sent_all()
        texts = [(event.sender, event.text) for event in (await client.history(lane)).events if event.type == "message"]
        assert texts == [(bob, "von bob"), (ann, "von ann")]


async def test_changed_password_ends_the_other_tokens_and_not_this_one(server: Server) -> None:
    (ann,) = names(server, "ann")
    a, b = await joined(server, ann), await joined(server, ann, transport="sse")
    async with a.client, b.client:
        await a.client.change_password(PASSWORD, "an even better one")
        await until(lambda: b.client.link.connection == "login")
        assert (await a.client.whoami()).id == ann


@pytest.mark.parametrize("transport", ["websocket", "poll"])
async def test_refusals_are_the_types_of_the_core_on_both_ways(server: Server, transport: str) -> None:
    ann, bob = names(server, "ann", "bob")
    a = await joined(server, ann, transport=transport)
    async with a.client:
        await until(lambda: a.client._socket.ready or transport == "poll")
        lane = (await a.client.create_direct(bob)).id
        with pytest.raises(NotFound):
            await a.client.send("no-such-conversation", "x")
        with pytest.raises(TooLarge):
            await a.client.send(lane, "字" * 30_000)
        with pytest.raises(Invalid):
            await a.client.send(lane, "  ")
        with pytest.raises(Forbidden):
            await a.client.leave(lane)
        assert a.client.outbox_size == 0
        await a.client.send(lane, "and it goes on")


async def test_without_a_log_in_nothing_is_started_or_posted(server: Server) -> None:
    async with open_client(server.url) as client:
        with pytest.raises(NotAuthenticated):
            client.post("lobby", "x")
        with pytest.raises(NotAuthenticated):
            await client.start()


async def test_closed_client_says_so(server: Server) -> None:
    (ann,) = names(server, "ann")
    a = await joined(server, ann)
    await a.client.close()
    with pytest.raises(Closed):
        a.client.post("lobby", "x")
    with pytest.raises(Closed):
        await a.client.start()
    with pytest.raises(Closed):
        await a.client.whoami()
    assert a.client.outbox_size == 0


@pytest.mark.parametrize("url", ["localhost:8440", "ftp://x", "http://", "", "http://[", "127.0.0.1"])
def test_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Client(url)


async def test_start_waits_for_the_server_and_close_ends_the_wait(tmp_path: Path) -> None:
    client = Client("http://127.0.0.1:9", token="x")
    reader = Reader(client)
    starting = asyncio.create_task(client.start())
    await until(lambda: any(link.connection == "waiting" for link in reader.links))
    await client.close()
    with pytest.raises(Closed):
        await asyncio.wait_for(starting, 10)


@pytest.mark.parametrize("transport", ALL)
async def test_cursor_of_another_log_reloads(server: Server, tmp_path: Path, transport: str) -> None:
    """As after a restored backup."""
    ann, bob = names(server, "ann", "bob")
    saved = Saved(tmp_path, server.url)
    saved.save_cursor(ann, "otherlog.7")
    saved.close()
    a, b = await joined(server, ann, state=tmp_path, transport=transport), await joined(server, bob)
    async with a.client, b.client:
        await until(lambda: a.reloads == 1)
        lane = (await b.client.create_direct(ann)).id
        await b.client.send(lane, "neu")
        await until(lambda: a.texts(lane) == ["neu"])
        assert a.reloads == 1
