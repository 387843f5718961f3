"""History around a message: as it is wanted where somebody jumps to it."""

import pytest

from tests.gateways.web.webhouse import WebHouse, problem


@pytest.mark.parametrize(
    ("around", "limit", "first", "last", "more", "newer"),
    [(10, 6, 8, 13, True, True), (2, 8, 1, 6, False, True), (20, 6, 18, 21, True, False), (10, 1, 10, 10, True, True),
     (21, 1, 21, 21, True, False),
     (99, 4, 20, 21, True, False), (0, 4, 1, 2, False, True)],
)  # fmt: skip
async def test_both_sides_of_a_message(
    web: WebHouse, around: int, limit: int, first: int, last: int, more: bool, newer: bool
) -> None:
    group = await web.group("alice", "bob")  # its first event makes it
    for number in range(20):
        await web.send("alice", group, f"m{number}")
    answer = (await web.call("bob", "GET", f"/v1/conversations/{group}/events?around={around}&limit={limit}")).json()
    assert [event["seq"] for event in answer["events"]] == list(range(first, last + 1))
    assert (answer["more"], answer["newer"]) == (more, newer)


async def test_large_messages_leave_the_one_that_is_asked_for(web: WebHouse) -> None:
    group = await web.group("alice", "bob")
    for number in range(40):
        assert (await web.send("alice", group, f"m{number}", "长" * 20_000)).status_code == 201
    answer = (await web.call("bob", "GET", f"/v1/conversations/{group}/events?around=20&limit=100")).json()
    seqs = [event["seq"] for event in answer["events"]]
    assert 20 in seqs
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert (answer["more"], answer["newer"]) == (True, True)


async def test_only_one_place_is_asked_for(web: WebHouse) -> None:
    for query in ("around=1&before=2", "around=1&after=2", "before=1&after=2"):
        problem(await web.call("bob", "GET", f"/v1/conversations/lobby/events?{query}"), 400, "invalid")
