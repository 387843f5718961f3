"""What a client that nobody looks at need not know yet (XEP-0352): the newest of each kind of each person, within bounds."""

from collections import OrderedDict
from typing import Any

_MOST = 1_000
_CAN_WAIT = frozenset({"presence", "typing"})


class Held:
    def __init__(self) -> None:
        self.active = True
        self._signals: OrderedDict[tuple[str, str, str], dict[str, Any]] = OrderedDict()

    def keeps(self, body: dict[str, Any]) -> bool:
        """Whether this signal waits. Over the bound the oldest is forgotten."""
        if self.active or body["type"] not in _CAN_WAIT:
            return False
        key = body["type"], str(body.get("user", "")), str(body.get("conversation", ""))
        self._signals.pop(key, None)
        while len(self._signals) >= _MOST:
            self._signals.popitem(last=False)
        self._signals[key] = body
        return True

    def release(self) -> list[dict[str, Any]]:
        """All that waits, oldest first."""
        found = list(self._signals.values())
        self._signals.clear()
        return found
