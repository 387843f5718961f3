"""What every bus guarantees, whoever it is."""

from typing import Any

from hongyan.bus import Gone, Signal, TellMe
from hongyan.core.model import Batch, Event
from tests.bus.conftest import Node, until


def event(position: int, size: int = 20) -> Event:
    content = b'{"text":"' + b"x" * size + b'"}'
    return Event(position, "lane", position, "message", "ann", 1, f"c{position}", content)


def batch(first: int, last: int, size: int = 20) -> Batch:
    return Batch(first, last, [event(position, size) for position in range(first, last + 1)])


def signal(number: int) -> Signal:
    return Signal("typing", "ann", ("lane",), {"number": number})


def events_of(node: Node) -> list[Event]:
    return [event for heard in node.heard if isinstance(heard, Batch) for event in heard.events]


async def test_to_oneself_it_comes_at_once(nodes: list[Node]) -> None:
    for node in nodes:
        node.heard.clear()
        for message in (signal(1), batch(1, 2)):
            node.bus.publish(message)
            assert node.heard[-1] is message


async def test_others_hear_it_once_and_in_order(nodes: list[Node]) -> None:
    first, others = nodes[0], nodes[1:]
    for number in range(300):
        first.bus.publish(signal(number))
        first.bus.publish(batch(2 * number + 1, 2 * number + 2))
    first.bus.publish(Gone("end"))
    for node in [first, *others]:
        await until(lambda node=node: Gone("end") in node.heard and len(events_of(node)) == 600)  # type: ignore[misc]
        numbers = [heard.body["number"] for heard in node.heard if isinstance(heard, Signal)]
        assert numbers == list(range(300))
        assert events_of(node) == [event(position) for position in range(1, 601)]
        assert len([heard for heard in node.heard if isinstance(heard, Batch)]) == 300


async def test_what_is_for_one_reaches_that_one_only(nodes: list[Node]) -> None:
    for sender in nodes:
        for receiver in nodes:
            sender.bus.publish(TellMe(f"{sender.name} to {receiver.name}"), to=receiver.name)
        sender.bus.publish(TellMe("nobody"), to="n9")
        sender.bus.publish(Gone(f"end of {sender.name}"))
    for node in nodes:
        wanted = {f"{sender.name} to {node.name}" for sender in nodes}
        await until(
            lambda node=node, wanted=wanted: (  # type: ignore[misc]
                {one.node for one in node.heard if isinstance(one, TellMe)} >= wanted
                and len([one for one in node.heard if isinstance(one, Gone)]) == len(nodes)
            )
        )
        assert sorted(one.node for one in node.heard if isinstance(one, TellMe)) == sorted(wanted)


async def test_batch_that_is_larger_than_a_message_comes_in_parts(nodes: list[Node]) -> None:
    large = batch(1, 60, size=60_000)
    nodes[0].bus.publish(large)
    for node in nodes:
        await until(lambda node=node: len(events_of(node)) == 60)  # type: ignore[misc]
        assert events_of(node) == list(large.events)
        for heard in node.heard:
            assert (heard.first, heard.last) == (heard.events[0].position, heard.events[-1].position)


async def test_event_that_is_larger_than_a_message_is_named(nodes: list[Node]) -> None:
    """Whoever follows reads it from the store."""
    nodes[0].bus.publish(Batch(1, 3, [event(1), event(2, 2_000_000), event(3)]))
    for node in nodes[1:]:
        await until(lambda node=node: len(node.heard) == 3)  # type: ignore[misc]
        assert [(one.first, one.last, len(one.events)) for one in node.heard] == [(1, 1, 1), (2, 2, 0), (3, 3, 1)]


async def test_listener_that_raises_does_not_keep_the_next_message_away(nodes: list[Node]) -> None:
    def fails(gone: Gone) -> None:
        raise RuntimeError("a fault")

    for node in nodes[1:]:
        node.bus.listen(Gone, fails)
    if len(nodes) > 1:
        nodes[0].bus.publish(Gone("x"))
    nodes[0].bus.publish(signal(1))
    for node in nodes:
        await until(lambda node=node: signal(1) in node.heard)  # type: ignore[misc]


async def test_after_close_nothing_is_heard_and_nothing_fails(nodes: list[Node]) -> None:
    last = nodes[-1]
    await last.bus.close()
    last.heard.clear()
    nodes[0].bus.publish(signal(1))
    last.bus.publish(signal(2), to="n1")
    await last.bus.close()
    assert signal(1) not in last.heard or last is nodes[0]


async def test_there_is_no_trouble(nodes: list[Node]) -> None:
    for node in nodes:
        bus: Any = node.bus
        assert (bus.trouble, bus.doubtful, bus.counts.lost, bus.counts.refused) == (None, False, 0, 0)
        assert bus.alone == (len(nodes) == 1)
