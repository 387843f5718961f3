"""Push: people are told of messages on devices that are not connected.

`Push` follows the log on every node and asks `recipients` who is told (by `core.notifying`, and nobody who is looking anyway).
How they are told is a `Way`: `browsers` is Web Push (RFC 8030, 8291, 8292; inside it `encrypting`, `signing`, `posting` and
`endpoints`), another is in `features/xmpp`. What is on its way waits in an `outbox`. A message is told of at most once for each
subscription.
"""

from hongyan.features.push.browsers import Browsers
from hongyan.features.push.model import NewSubscription, PushView
from hongyan.features.push.outbox import Message, Outbox, Outcome
from hongyan.features.push.recipients import Present, Told
from hongyan.features.push.service import Push
from hongyan.features.push.ways import Way

__all__ = ["Browsers", "Message", "NewSubscription", "Outbox", "Outcome", "Present", "Push", "PushView", "Told", "Way"]
