"""What the WebSockets of one gateway share."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from hongyan.config import Settings
from hongyan.gateways.web.websocket.output import Output
from hongyan.gateways.web.websocket.upkeep import Upkeep
from hongyan.messaging import Messaging


class Context:
    def __init__(self, messaging: Messaging, settings: Settings, output: Output, upkeep: Upkeep) -> None:
        limits = settings.limits
        self.messaging = messaging
        self.sender = messaging.sender
        self.output = output
        self.upkeep = upkeep
        self.loop = asyncio.get_running_loop()
        self.frame_bytes = limits.frame_bytes
        self.hard_frame_bytes = limits.frame_bytes * 3 // 2
        """Over `frame_bytes` a frame is answered with an error, over this the connection ends (1009)."""
        self.write_buffer = limits.write_buffer
        self.rate = limits.requests_per_second + limits.sends_per_second
        """Frames a second that one connection may send for long; the services have their own limits for each user."""
        self.burst = limits.requests_burst + limits.sends_burst
        self.open = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something for a connection. The gateway waits for all of them when it stops."""
        task = self.loop.create_task(work, name="hongyan websocket")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
