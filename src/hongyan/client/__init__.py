"""The asyncio SDK and, on top of it, the terminal client. Imports nothing of Hongyan but `core` and `finding`.

Touch only what is exported here; the other modules may change. `Client` is the whole SDK, `State` is the fold without I/O.
"""

from hongyan.client.backoff import Backoff
from hongyan.client.client import Client
from hongyan.client.deliver import Pending
from hongyan.client.errors import ClientError, Closed, StateInUse, StateUnusable, Unreachable
from hongyan.client.follow import Link
from hongyan.client.ladder import Ladder
from hongyan.client.model import Conversation, Event, Member, Online, Sent, Session, Snapshot, TransportName, User
from hongyan.client.outbox import Entry
from hongyan.client.search import Found, Hit, Snippet
from hongyan.client.state import State

__all__ = [
    "Backoff",
    "Client",
    "ClientError",
    "Closed",
    "Conversation",
    "Entry",
    "Event",
    "Found",
    "Hit",
    "Ladder",
    "Link",
    "Member",
    "Online",
    "Pending",
    "Sent",
    "Session",
    "Snapshot",
    "Snippet",
    "State",
    "StateInUse",
    "StateUnusable",
    "TransportName",
    "Unreachable",
    "User",
]
