"""Subscriptions as browsers make them, and what browsers are told."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hongyan.core.notifying import Reason

Urgency = Literal["normal", "high"]


class SubscriptionKeys(msgspec.Struct, frozen=True):
    """Both in base64 for URLs, without padding."""

    p256dh: Annotated[str, Meta(max_length=100)]
    """The browser's public key: an uncompressed point of P-256."""
    auth: Annotated[str, Meta(max_length=30)]
    """16 bytes."""


class NewSubscription(msgspec.Struct, frozen=True):
    """What `PushSubscription.toJSON()` gives in a browser."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=2_000)]
    keys: SubscriptionKeys


class PushView(msgspec.Struct, frozen=True):
    key: str
    """The server's public key, for `applicationServerKey`."""
    subscribed: bool
    """This token has a subscription."""


class Subscription(msgspec.Struct, frozen=True):
    endpoint: str
    public: bytes
    auth: bytes


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """The payload, as the service worker gets it."""

    title: str
    text: str
    conversation: str
    seq: int
    kind: str
    """Of the conversation."""
    sender: str | None
    time: int
    why: Reason
    thread: int | None = None


class Letter(msgspec.Struct, frozen=True):
    """What is sent to one browser."""

    to: Subscription
    payload: bytes
    topic: str
    urgency: Urgency
