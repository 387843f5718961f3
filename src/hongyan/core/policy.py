"""Who may do what: the one place that decides. Every function answers by returning, or raises the error with the reason.

A person who is not a member is told that the conversation does not exist; only members are told that they may not do something.
"""

import msgspec

from hongyan.core.acts import Act, React, Unreact
from hongyan.core.content import ALL, Content, Forward
from hongyan.core.errors import Conflict, Forbidden, Invalid, NotFound
from hongyan.core.model import HistoryPolicy, Kind, Role, Writers

_RANK: dict[Role, int] = {"member": 0, "admin": 1, "owner": 2}


class Span(msgspec.Struct, frozen=True, gc=False):
    """The part of a lane that a user's stream of events may show: from the event that let them in to the one that let them
    out.
    """

    since_seq: int
    last_seq: int | None = None
    """None while they are in."""

    def shows(self, seq: int) -> bool:
        return self.since_seq <= seq and (self.last_seq is None or seq <= self.last_seq)


def member(role: Role | None) -> Role:
    """The caller's role. Raises NotFound for everybody who has none: a stranger is not told that the conversation exists."""
    if role is None:
        raise NotFound("There is no such conversation, or you are not in it")
    return role


def first_readable(history: HistoryPolicy, joined_seq: int) -> int:
    """The first `seq` that somebody who is added with the event `joined_seq` may read."""
    return 1 if history == "all" else joined_seq


def change_settings(kind: Kind, role: Role | None) -> None:
    """Title and history policy: owner and admins of a group."""
    mine = member(role)
    if kind == "direct":
        raise Forbidden("A direct conversation has no settings")
    if _RANK[mine] < _RANK["admin"]:
        raise Forbidden("Only the owner and admins may change the settings of a group")


def add_members(kind: Kind, role: Role | None) -> None:
    """Every member of a group may bring others in; a direct conversation stays between two."""
    member(role)
    if kind == "direct":
        raise Forbidden("Nobody can be added to a direct conversation; make a group")


def remove_member(kind: Kind, role: Role | None, target: Role | None, *, oneself: bool) -> None:
    """Oneself always (leaving), others only who are below one's own role."""
    mine = member(role)
    if kind == "direct":
        raise Forbidden("A direct conversation cannot be left")
    if target is None:
        raise NotFound("This user is not in the conversation")
    if not oneself and (_RANK[mine] < _RANK["admin"] or _RANK[mine] <= _RANK[target]):
        raise Forbidden("Admins may remove members, the owner may remove anybody else")


def keep_out(kind: Kind, role: Role | None, target: Role | None = None, *, oneself: bool = False) -> None:
    """Owner and admins say who may not come in any more; of members those below them. `target` has no role when outside."""
    mine = member(role)
    if kind == "direct":
        raise Forbidden("Nobody is kept out of a direct conversation")
    if oneself:
        raise Invalid("Nobody keeps themselves out: leave instead")
    if _RANK[mine] < _RANK["admin"] or (target is not None and _RANK[mine] <= _RANK[target]):
        raise Forbidden("The owner and admins keep people out, of members those below them")


def bring_back(role: Role | None) -> None:
    """Who was kept out is brought in by owner and admins alone."""
    if _RANK[member(role)] < _RANK["admin"]:
        raise Forbidden("Somebody of these may not come in here any more, unless the owner or an admin brings them in")


def set_role(kind: Kind, role: Role | None, target: Role | None) -> None:
    """Only the owner gives roles. Giving `owner` away makes the old owner an admin."""
    mine = member(role)
    if kind == "direct":
        raise Forbidden("A direct conversation has no roles to give")
    if target is None:
        raise NotFound("This user is not in the conversation")
    if mine != "owner":
        raise Forbidden("Only the owner gives roles")


def give_up_ownership(new: Role) -> None:
    """An owner cannot step down without a successor."""
    if new != "owner":
        raise Conflict("A group needs an owner: give the role to somebody else first")


class Said(msgspec.Struct, frozen=True, gc=False):
    """A message, as far as it is decided on."""

    sender: str | None
    time: int
    kind: str
    """The type of its content."""
    recalled: bool
    closed: bool


def write(role: Role | None, writers: Writers) -> None:
    """Who may send messages, edit and pin them."""
    alive(role, writers)
    if not may_write(member(role), writers):
        raise Forbidden("Only the owner and admins write here")


def may_write(role: Role, writers: Writers) -> bool:
    """The same for a member as yes or no."""
    return writers == "all" or (writers == "admins" and _RANK[role] >= _RANK["admin"])


def alive(role: Role | None, writers: Writers) -> None:
    """Who may react and vote, also where others announce. Nothing is done in an archived conversation."""
    member(role)
    if writers == "nobody":
        raise Conflict("This conversation is archived and can only be read")


def join(kind: Kind, writers: Writers, *, banned: bool) -> None:
    """Channels are open to everybody who was not kept out; of others a stranger is not told that they exist."""
    if kind != "channel":
        member(None)
    if banned:
        raise Forbidden("The owner or an admin has kept you out of this channel")
    if writers == "nobody":
        raise Conflict("This channel is archived")


def mention(role: Role | None, who: str) -> None:
    """A person may be mentioned by everybody; all at once by owner and admins."""
    if who == ALL and _RANK[member(role)] < _RANK["admin"]:
        raise Forbidden("Only the owner and admins may mention everybody")


def edit(said: Said, user: str, age: float, most: float) -> None:
    """One's own text, for some time. `age` and `most` are seconds."""
    present(said)
    if said.sender != user:
        raise Forbidden("Only who wrote a message may edit it")
    if said.kind != "text":
        raise Forbidden("Only a text can be edited")
    if age > most:
        raise Forbidden("This message is too old to be edited")


def recall(kind: Kind, role: Role | None, said: Said, user: str, age: float, most: float) -> None:
    """One's own for some time; in a group its owner and admins take back anything at any time."""
    present(said)
    if kind != "direct" and _RANK[member(role)] >= _RANK["admin"]:
        return
    if said.sender != user:
        raise Forbidden("Only who wrote a message, or an admin of the group, may take it back")
    if age > most:
        raise Forbidden("This message is too old to be taken back")


def vote(said: Said) -> None:
    present(said)
    if said.kind != "poll":
        raise Invalid("This message is no poll")
    if said.closed:
        raise Conflict("This poll is closed")


def close(role: Role | None, said: Said, user: str) -> None:
    """Who asked, or an admin."""
    vote(said)
    if said.sender != user and _RANK[member(role)] < _RANK["admin"]:
        raise Forbidden("Only who made a poll, or an admin, may close it")


def present(said: Said) -> None:
    """Nothing is done to a message that was taken back."""
    if said.recalled:
        raise Conflict("This message was taken back")


def embedded_send(only: str | None, conversation: str, content: Content) -> None:
    """An embedded page writes into its conversation, and brings nothing from another. `only` is the caller's."""
    if only is not None:
        _inside(only, conversation)
        if isinstance(content, Forward):
            raise Forbidden("An embedded page cannot forward messages")


def embedded_act(only: str | None, conversation: str, act: Act) -> None:
    """An embedded page reacts in its conversation, and does nothing else to messages."""
    if only is not None:
        _inside(only, conversation)
        if not isinstance(act, React | Unreact):
            raise Forbidden("An embedded page may react to messages, and do nothing else to them")


def _inside(only: str, conversation: str) -> None:
    if conversation != only:
        raise NotFound("There is no such conversation, or you are not in it")
