"""What is the same for all who are told of an event: what it is about is asked once, and its stanza is made once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from hongyan.core.model import Event
from hongyan.messaging.archive import About, points_to

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource

_MOST = 500
_CHANGES = frozenset({"edit", "recall"})


class _Made(msgspec.Struct, frozen=True):
    content: bytes
    about: About
    stanza: tuple[str, str]


class Shared:
    def __init__(self, house: "House") -> None:
        self._house = house
        self._asked: dict[int, asyncio.Task[About]] = {}
        """By position."""
        self._made: dict[object, _Made] = {}
        house.messaging.log.fold(self._apply)

    def about(self, resource: "Resource", event: Event) -> About | Awaitable[About]:
        """What it is about, as far as the resource may read it."""
        archive = self._house.messaging.archive
        if not _reads_all(resource, event):
            return archive.about(resource.caller, [event])
        asked = self._asked.get(event.position)
        if asked is None or (asked.done() and (asked.cancelled() or asked.exception() is not None)):
            asked = self._house.task(archive.about_for_all([event]))
            _keep(self._asked, event.position, asked)
        return asked.result() if asked.done() else asyncio.shield(asked)

    def stanza(self, event: Event, about: About, key: object, make: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        """What is before and behind the address of who is told; `make` is called for the first of them. `key` is everything that
        it depends on besides the event and what that is about.
        """
        made = self._made.get((event.position, key))
        if made is None or made.about is not about or made.content != event.content:
            made = _Made(event.content, about, make())
            _keep(self._made, (event.position, key), made)
        return made.stanza

    def _apply(self, event: Event) -> None:
        """What was said before is not to be said again."""
        if event.type in _CHANGES:
            self._asked.clear()
            self._made.clear()


def _reads_all(resource: "Resource", event: Event) -> bool:
    """They were in the conversation when that was said which it is about. Who came later may read it or not."""
    view = resource.session.view if hasattr(resource, "session") else None
    spans = view.spans.get(event.lane, ()) if view is not None else ()
    return bool(spans) and all(spans[-1].shows(seq) for seq in points_to(event))


def _keep(where: dict[Any, Any], key: object, value: object) -> None:
    while len(where) >= _MOST:
        del where[next(iter(where))]
    where[key] = value
