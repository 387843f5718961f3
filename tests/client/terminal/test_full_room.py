"""What the full screen knows of a conversation: its window of messages, and what was done to them."""

from hongyan.client.model import Event, Json
from hongyan.client.terminal.full.room import KEPT, Room
from hongyan.core.amending import Amended


def said(seq: int, text: str = "说", *, sender: str = "bob", kind: str = "message", **content: object) -> Event:
    body: Json = {"type": "text", "text": text, **content}
    return Event(f"e.{seq + 100}", "room", seq, kind, sender, seq * 1_000, body)


def done(place: int, kind: str, sender: str = "bob", **content: object) -> Event:
    return Event(f"e.{place + 100}", "room", place, kind, sender, place * 1_000, dict(content))


def test_an_edit_and_a_reaction_change_the_message_and_what_the_page_knew_changes_nothing() -> None:
    room = Room("room", "ann")
    room.load([said(1), said(2)], [Amended(1, at=3, text="改过")], more=False, older=True)
    assert room.apply(done(3, "edit", seq=1, text="旧的改动")) == 1
    assert room.text(1) == "改过"
    assert room.apply(done(4, "edit", seq=1, text="新的改动")) == 1
    assert room.apply(done(5, "react", "ann", seq=2, emoji="👍")) == 2
    assert room.text(1) == "新的改动"
    assert room.state(2).reactions["👍"].mine


def test_a_recalled_message_says_nothing() -> None:
    room = Room("room", "ann")
    room.load([said(1, "秘密")], [], more=False, older=True)
    assert room.apply(done(2, "recall", seq=1)) == 1
    assert room.text(1) == ""


def test_messages_of_other_conversations_and_of_threads_are_not_in_it() -> None:
    room = Room("room", "ann")
    room.load([said(1)], [], more=False, older=True)
    assert room.apply(said(2, kind="reply", thread=1)) == 1, "the root has one more reply"
    assert room.state(1).replies == 1
    assert list(room.messages) == [1]
    thread = Room("room", "ann", root=1)
    thread.load([said(1)], [], more=False, older=True)
    assert thread.apply(said(2, kind="reply", thread=1)) == 2
    assert thread.apply(said(3, kind="reply", thread=9)) is None
    assert thread.apply(said(4)) is None


def test_a_window_stays_bounded_at_both_ends() -> None:
    room = Room("room", "ann")
    room.load([said(seq) for seq in range(5_000, 5_060)], [], more=True, older=True)
    for begin in range(4_940, 4_000, -60):
        room.load([said(seq) for seq in range(begin, begin + 60)], [], more=True, older=True)
    assert len(room.messages) == KEPT
    assert not room.newest
    assert room.apply(said(6_000)) is None, "it would leave a hole"
    fresh = Room("room", "ann")
    fresh.load([said(1)], [], more=False, older=True)
    for seq in range(2, KEPT + 50):
        fresh.apply(said(seq))
    assert (len(fresh.messages), fresh.last, fresh.more) == (KEPT, KEPT + 49, True)
