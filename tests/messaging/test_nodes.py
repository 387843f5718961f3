"""The registry of nodes, as a play: two registries, a bus between them that can be cut, and ticks instead of seconds."""

import asyncio
import contextlib
from typing import Any

import pytest

from hongyan.bus import Beat, Gone, NodeInfo
from hongyan.core.errors import NoNode, NotFound
from hongyan.messaging import nodes as module
from hongyan.messaging.nodes import Nodes


class Air:
    """Carries what one says to all that can be reached, at once."""

    def __init__(self) -> None:
        self.voices: list[Voice] = []


class Voice:
    """A bus of one node."""

    alone = False

    def __init__(self, air: Air, node: str) -> None:
        self.node = node
        self.doubtful = False
        self.trouble: str | None = None
        self.cut = False
        self.said: list[Any] = []
        self._air = air
        self._ears: dict[type, Any] = {}
        air.voices.append(self)

    def listen(self, kind: type, heard: Any) -> None:
        self._ears[kind] = heard

    def publish(self, message: Any, to: str | None = None) -> None:
        self.said.append(message)
        for voice in self._air.voices:
            if to in (None, voice.node) and (voice is self or not (self.cut or voice.cut)):
                heard = voice._ears.get(type(message))
                if heard is not None:
                    heard(message)


class Play:
    def __init__(self) -> None:
        self.air = Air()
        self.nodes: dict[str, Nodes] = {}
        self.voices: dict[str, Voice] = {}
        self.lost: list[tuple[str, str]] = []
        """Who has lost whom."""
        self.sessions: dict[str, int] = {}
        self.unready: set[str] = set()

    def add(self, id: str, sessions: int = 0) -> Nodes:
        voice = self.voices[id] = Voice(self.air, id)
        self.sessions[id] = sessions

        def describe() -> NodeInfo:
            ready = id not in self.unready
            return NodeInfo(
                id, f"name-{id}", "1", {"http": f"{id}:1"}, 0, self.sessions[id], 0, 0, ready, "" if ready else "away"
            )

        nodes = self.nodes[id] = Nodes(voice, describe, random=lambda: 0.0)  # type: ignore[arg-type]
        nodes.watch(lambda beat: None, lambda gone: self.lost.append((id, gone)), lambda: 0)
        nodes.start()
        return nodes

    def ids(self, id: str) -> list[str]:
        return [node.id for node in self.nodes[id].all()]


@pytest.fixture
async def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    play = Play()
    ticks: list[asyncio.Event] = []

    async def sleep(seconds: float) -> None:
        event = asyncio.Event()
        ticks.append(event)
        await event.wait()

    monkeypatch.setattr(module.asyncio, "sleep", sleep)

    async def tick(count: int = 1) -> None:
        """So many seconds go by for each node."""
        for _ in range(count):
            await _turns()
            due, ticks[:] = list(ticks), []
            for event in due:
                event.set()
            await _turns()

    play.tick = tick  # type: ignore[attr-defined]
    yield play
    for nodes in play.nodes.values():
        with contextlib.suppress(asyncio.CancelledError):
            await nodes.stop()


async def _turns() -> None:
    for _ in range(5):
        loop = asyncio.get_running_loop()
        turned = loop.create_future()
        loop.call_soon(turned.set_result, None)
        await turned


async def test_who_comes_asks_and_is_answered_at_once(play: Any) -> None:
    play.add("a")
    play.add("b")
    assert play.ids("a") == play.ids("b") == ["a", "b"]
    beats = [said for said in play.voices["b"].said if isinstance(said, Beat)]
    assert [beat.asks for beat in beats] == [True]
    await play.tick()
    assert play.voices["a"].said[-1].asks is False


async def test_silence_of_more_than_three_ticks_is_death(play: Any) -> None:
    play.add("a")
    play.add("b")
    play.voices["b"].cut = True
    await play.tick(3)
    assert play.ids("a") == ["a", "b"]
    await play.tick()
    assert play.ids("a") == ["a"]
    assert ("a", "b") in play.lost


async def test_one_beat_begins_the_count_anew_and_who_was_dead_comes_back(play: Any) -> None:
    play.add("a")
    play.add("b")
    voice = play.voices["b"]
    for _ in range(3):
        voice.cut = True
        await play.tick(2)
        voice.cut = False
        await play.tick()
    assert play.lost == []
    voice.cut = True
    await play.tick(5)
    assert play.ids("a") == ["a"]
    voice.cut = False
    await play.tick()
    assert play.ids("a") == ["a", "b"]


async def test_deaf_node_leaves_the_others_as_they_are(play: Any) -> None:
    play.add("a")
    play.add("b")
    play.voices["a"].cut = play.voices["a"].doubtful = True
    await play.tick(20)
    assert play.ids("a") == ["a", "b"]
    assert play.ids("b") == ["b"], "the others see it go"
    play.voices["a"].cut = play.voices["a"].doubtful = False
    await play.tick(2)
    assert play.ids("a") == play.ids("b") == ["a", "b"]
    assert play.lost == [("b", "a")]


async def test_goodbye_is_believed_at_once_and_once(play: Any) -> None:
    play.add("a")
    await play.add("b").stop()
    assert play.ids("a") == ["a"]
    assert play.lost == [("a", "b")]
    play.voices["b"].publish(Gone("b"))
    play.voices["b"].publish(Gone("never there"))
    assert play.lost == [("a", "b")]


async def test_only_who_takes_clients_is_picked(play: Any) -> None:
    nodes = play.add("a", sessions=5)
    play.add("b", sessions=3)
    play.add("c", sessions=9)
    await play.tick()
    assert nodes.pick("least").id == "b"
    assert nodes.another
    play.unready.add("b")
    play.nodes["b"].tell()
    assert nodes.pick("least").id == "a"
    assert [nodes.pick("round-robin").id for _ in range(3)] == ["a", "c", "a"]
    with pytest.raises(NotFound):
        nodes.pick(gateway="xmpp")
    play.unready |= {"a", "c"}
    play.nodes["c"].tell()
    assert not nodes.another
    with pytest.raises(NoNode) as refused:
        nodes.pick()
    assert refused.value.retry_after == 1.0
