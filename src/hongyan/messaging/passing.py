"""What one client says to others that are connected now, on whatever node: it is not kept, and may be lost."""

from collections.abc import Callable

from hongyan.bus import Bus, Passed
from hongyan.messaging.attendance import Attendance

Heard = Callable[[str, str], None]
"""The user it is for, and what was said."""


class Passing:
    def __init__(self, bus: Bus, node: str, attendance: Attendance) -> None:
        self._bus = bus
        self._node = node
        self._attendance = attendance
        self._heard: dict[str, Heard] = {}
        bus.listen(Passed, self._on_passed)

    def listen(self, gateway: str, heard: Heard) -> None:
        """Who takes what others of this gateway pass on."""
        self._heard[gateway] = heard

    def elsewhere(self, gateway: str, user: str, body: str) -> bool:
        """To the other nodes on which somebody is; whether there are any."""
        nodes = [node for node in self._attendance.nodes_of(user) if node != self._node]
        for node in nodes:
            self._bus.publish(Passed(gateway, user, body), to=node)
        return bool(nodes)

    def at(self, node: str, gateway: str, body: str, user: str = "") -> None:
        """To one node."""
        self._bus.publish(Passed(gateway, user, body), to=node)

    def _on_passed(self, passed: Passed) -> None:
        heard = self._heard.get(passed.gateway)
        if heard is not None:
            heard(passed.user, passed.body)
