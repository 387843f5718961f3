"""What is remembered of queries between nodes is bounded, whatever the ids are that clients give them."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from hongyan.gateways.xmpp import clients
from hongyan.gateways.xmpp.clients import Clients


@pytest.mark.parametrize(("length", "remembered"), [(256, 10), (257, 0)])
def test_queries_of_another_node(length: int, remembered: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_ASKED", 10)
    given: list[str] = []
    phone = SimpleNamespace(priority=0, around=SimpleNamespace(blocks=lambda who: False), has_room=True, send=given.append)
    messaging = SimpleNamespace(passing=SimpleNamespace(listen=lambda *heard: None))
    house = SimpleNamespace(messaging=messaging, resources={"bob": {"phone": phone}}, domain="hongyan.example")
    asked = Clients(cast(Any, house))
    for number in range(20):
        query = {"resource": "phone", "stanza": f"<iq {number}/>", "sender": "alice@hongyan.example/desk", "node": "n1"}
        asked._passed("bob", msgspec.json.encode({**query, "asks": f"{number:0{length}}"}).decode())
    assert len(given) == 20
    assert len(asked._asked) == remembered
