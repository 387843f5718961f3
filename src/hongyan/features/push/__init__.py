"""Web Push: people who have no page open are told of messages by their browser (RFC 8030, 8291, 8292).

`Push` is what the server starts and people call. Inside: `recipients` decides who is told of a message (by `core.notifying`, and
nobody who is looking anyway), `outbox` sends, `encrypting` and `signing` are what browsers and push services ask for, `endpoints`
what safety does. A message is told of at most once for each subscription.
"""

from hongyan.features.push.model import NewSubscription, PushView
from hongyan.features.push.service import Push

__all__ = ["NewSubscription", "Push", "PushView"]
