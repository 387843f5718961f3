"""What is asked and made once for all who are told of an event."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from hongyan.core.errors import StoreUnavailable
from hongyan.core.model import Event
from hongyan.core.policy import Span
from hongyan.gateways.xmpp.shared import Shared
from hongyan.messaging import About

REPLY = Event(20, "lane", 10, "message", "alice", 0, None, b'{"type":"text","text":"yes","reply":4}')
RECALL = Event(21, "lane", 11, "recall", "alice", 0, None, b'{"seq":4}')


class Play:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.made = 0
        self.fold: Any = None
        self.fails = False
        archive = SimpleNamespace(about=self._about, about_for_all=self._about_for_all)
        messaging = SimpleNamespace(archive=archive, log=SimpleNamespace(fold=self._fold))
        self.shared = Shared(SimpleNamespace(messaging=messaging, task=asyncio.create_task))  # type: ignore[arg-type]

    def _fold(self, apply: Any) -> None:
        self.fold = apply

    async def _about(self, caller: str, events: list[Event]) -> About:
        self.asked.append(caller)
        return About()

    async def _about_for_all(self, events: list[Event]) -> About:
        self.asked.append("for all")
        await asyncio.sleep(0)
        if self.fails:
            raise StoreUnavailable("The store does not answer")
        return About()

    async def about(self, reader: Any, event: Event = REPLY) -> About:
        found = self.shared.about(reader, event)
        return found if isinstance(found, About) else await found

    def stanza(self, about: About, event: Event = REPLY, nick: str = "alice") -> tuple[str, str]:
        def make() -> tuple[str, str]:
            self.made += 1
            return f"{self.made}", nick

        return self.shared.stanza(event, about, nick, make)


def reader(*spans: Span, user: str = "bob") -> Any:
    return SimpleNamespace(caller=user, session=SimpleNamespace(view=SimpleNamespace(spans={"lane": spans})))


async def test_what_an_event_is_about_is_asked_once() -> None:
    play = Play()
    first, second = await asyncio.gather(play.about(reader(Span(1))), play.about(reader(Span(4))))
    assert first is second is await play.about(reader(Span(1)))
    assert play.asked == ["for all"]


@pytest.mark.parametrize("spans", [(Span(5),), (Span(1, 4), Span(6)), ()])
async def test_who_came_later_asks_for_themselves(spans: tuple[Span, ...]) -> None:
    play = Play()
    shared = await play.about(reader(Span(1)))
    assert await play.about(reader(*spans)) is not shared
    assert await play.about(SimpleNamespace(caller="somebody elsewhere")) is not shared
    assert play.asked == ["for all", "bob", "somebody elsewhere"]


async def test_what_was_taken_back_is_asked_again() -> None:
    play = Play()
    before = await play.about(reader(Span(1)))
    play.stanza(before)
    play.fold(RECALL)
    after = await play.about(reader(Span(1)))
    assert after is not before
    assert play.stanza(after) == ("2", "alice")


async def test_what_failed_is_asked_again() -> None:
    play = Play()
    play.fails = True
    with pytest.raises(StoreUnavailable):
        await play.about(reader(Span(1)))
    play.fails = False
    await play.about(reader(Span(1)))
    assert play.asked == ["for all"] * 2


async def test_a_stanza_is_made_once_for_all_who_see_the_same() -> None:
    play = Play()
    about = About()
    assert play.stanza(about) == play.stanza(about) == ("1", "alice")
    assert play.stanza(about, nick="alice as others call her") == ("2", "alice as others call her")
    assert play.stanza(About()) == ("3", "alice")  # somebody who may read less
    redacted = Event(20, "lane", 10, "message", "alice", 0, None, b'{"type":"recalled"}')
    assert play.stanza(about, redacted) == ("4", "alice")


async def test_it_is_bounded() -> None:
    play = Play()
    about = About()
    for position in range(2_000):
        play.stanza(about, Event(position, "lane", position, "message", "alice", 0, None, b"{}"))
    assert len(play.shared._made) == 500
