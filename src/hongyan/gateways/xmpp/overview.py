"""The streams of this node, as an administrator sees and ends them."""

from typing import TYPE_CHECKING

from hongyan.gateways.door.lent import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongyan.gateways.xmpp.house import House


class Overview:
    def __init__(self, house: "House") -> None:
        self._house = house

    def all(self) -> list[Stream]:
        return list(self._found())

    def end(self, id: str) -> bool:
        for stream, end in self._found().items():
            if stream.id == id:
                end()
                return True
        return False

    def _found(self) -> "dict[Stream, Callable[[], None]]":
        found = {
            Stream(f"client-{one.caller.token_id}", "client", str(one.jid), "", 0): one.end
            for mine in self._house.resources.values()
            for one in mine.values()
        }
        return found if self._house.federation is None else found | self._house.federation.streams()
