"""Who may do what: the one place that decides. Every function answers by returning, or raises the error with the reason.

A person who is not a member is told that the conversation does not exist; only members are told that they may not do something.
"""

import msgspec

from hongyan.core.errors import Conflict, Forbidden, NotFound
from hongyan.core.model import HistoryPolicy, Kind, Role

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
