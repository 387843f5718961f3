"""What is remembered of queries between nodes is bounded, whatever the ids are that clients give them."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from hongyan.gateways.xmpp import clients
from hongyan.gateways.xmpp.clients import Clients
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.jid import Jid

DOMAIN = "hongyan.example"


class Other:
    """A node with the phone of bob, asked by one on which alice is."""

    def __init__(self) -> None:
        self.given: list[str] = []
        """To bob's phone."""
        self.back: list[tuple[str, str]] = []
        """To which node, and what."""
        around, address = SimpleNamespace(blocks=lambda who: False), Jid("bob", DOMAIN, "phone")
        phone = SimpleNamespace(jid=address, priority=0, around=around, has_room=True, send=self.given.append)
        passing = SimpleNamespace(
            listen=lambda *heard: None,
            at=lambda node, gateway, body, user: self.back.append((node, body)),
            elsewhere=lambda gateway, user, body: False,
        )
        house = SimpleNamespace(
            messaging=SimpleNamespace(passing=passing),
            resources={"bob": {"phone": phone}},
            domain=DOMAIN,
            of=lambda user: (),
        )
        self.clients = Clients(cast(Any, house))

    def is_asked(self, id: str) -> None:
        query = {"resource": "phone", "stanza": f"<iq id='{id}'/>", "sender": f"alice@{DOMAIN}/desk", "node": "n1", "asks": id}
        self.clients._passed("bob", msgspec.json.encode(query).decode())

    def answers(self, user: str, resource: str, id: str) -> None:
        answer = Element("jabber:client iq", {"type": "result", "id": id})
        self.clients.answer(Jid("alice", DOMAIN, "desk"), answer, Jid(user, DOMAIN, resource))


@pytest.mark.parametrize(("length", "remembered"), [(256, 10), (257, 0)])
def test_queries_of_another_node(length: int, remembered: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_ASKED", 10)
    other = Other()
    for number in range(20):
        other.is_asked(f"{number:0{length}}")
    assert len(other.given) == 20
    assert len(other.clients._asked) == remembered


def test_only_who_was_asked_answers_and_only_once() -> None:
    other = Other()
    other.is_asked("1")
    for user, resource in (("mallory", "phone"), ("bob", "tablet")):
        other.answers(user, resource, "1")
    assert other.back == []
    for _ in range(2):
        other.answers("bob", "phone", "1")
    (went,) = other.back
    assert went[0] == "n1"
