"""Messages between two: XMPP clients with each other, and with people on other doors."""

from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.site import DOMAIN, Site


async def test_two_clients_write_to_each_other(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id) as a, client(site, bob.id) as b:
        for number in range(10):
            a.send_message(f"{bob.id}@{DOMAIN}", f"你好 {number} <&>", mtype="chat")
        await b.has(*(f"你好 {number} <&>" for number in range(10)))
        assert b.messages[0]["from"].bare == f"{alice.id}@{DOMAIN}"
        b.send_message(f"{alice.id}@{DOMAIN}", "在", mtype="chat")
        await a.has("在")
    assert alice.texts(alice.direct(bob.id)) == [*(f"你好 {number} <&>" for number in range(10)), "在"]


async def test_somebody_on_the_web_and_a_client_write_to_each_other(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.direct(bob.id)
    async with client(site, bob.id) as b:
        alice.send(lane, "从网页")
        await b.has("从网页")
        b.send_message(f"{alice.id}@{DOMAIN}", "从客户端", mtype="chat")
        await b.until(lambda: alice.texts(lane) == ["从网页", "从客户端"])


async def test_other_clients_of_ones_own_get_a_copy(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id) as a, client(site, alice.id, "phone", plugins=("xep_0280",)) as phone:
        copies: list[str] = []
        phone.add_event_handler("carbon_sent", lambda message: copies.append(message["carbon_sent"]["body"]))
        await phone.plugin["xep_0280"].enable()
        a.send_message(f"{bob.id}@{DOMAIN}", "你好", mtype="chat")
        await phone.until(lambda: copies == ["你好"])
        assert a.texts == []
