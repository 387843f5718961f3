"""What it costs to look at conversations in which much is unread."""

from sqlalchemy import Connection

from hongyan.core.content import Text
from hongyan.messaging.describing import describe
from hongyan.store import Draft
from tests.build import House


def steps_of_describing(connection: Connection) -> int:
    """Of SQLite's virtual machine, in hundreds."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    raw = connection.connection.driver_connection
    assert raw is not None
    raw.set_progress_handler(step, 100)
    assert max(one.unread for one in describe(connection, "e", "bob")) == 1_000
    raw.set_progress_handler(None, 100)
    return taken


async def test_a_conversation_with_very_much_unread_costs_no_more_than_one_with_much(home: House) -> None:
    group = await home.group("alice", "bob", "carol")
    await home.messaging.sender.send(home.caller("alice"), group, "m", Text("看", mentions=("bob",)))
    much = await filled(home, group, 1_500)
    assert await filled(home, group, 6_000) < 1.1 * much


async def filled(home: House, group: str, up_to: int) -> int:
    """What it costs to describe them then."""
    have = (await home.messaging.conversations.get(home.caller("alice"), group)).head_seq
    draft = Draft(group, "message", "alice", 1, b'{"type":"text","text":"x"}')
    await home.store.transaction(lambda tx: tx.append_all([draft] * (up_to - have)))
    return await home.store.read(steps_of_describing)
