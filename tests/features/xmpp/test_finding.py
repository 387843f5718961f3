"""The message that a client means."""

from pathlib import Path

import pytest

from hongyan.core.acts import React
from hongyan.core.content import Text
from hongyan.core.errors import NotFound
from hongyan.features.xmpp.finding import Finding
from tests.build import house


async def test_the_newest_message_of_somebody_up_to_a_place(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        await home.add("alice", "bob")
        alice, bob = home.caller("alice"), home.caller("bob")
        view, _ = await home.messaging.conversations.create_direct(alice, "bob")
        lane, send = view.id, home.messaging.sender.send
        first = (await send(alice, lane, "first", Text("first"))).seq
        second = (await send(alice, lane, "second", Text("second"))).seq
        await home.messaging.acts.act(alice, lane, React(first, "👍"), "like")
        answer = (await send(bob, lane, "answer", Text("answer"))).seq
        finding = Finding(home.store)
        assert (await finding.last_of(bob, lane, "alice", answer)).seq == second
        assert (await finding.last_of(bob, lane, "alice", first)).seq == first
        assert (await finding.last_of(alice, lane, "bob", answer)).client_id == "answer"
        with pytest.raises(NotFound):
            await finding.last_of(alice, lane, "bob", second)
