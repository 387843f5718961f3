"""People of our server and of Prosody's."""

from collections.abc import Iterator

import pytest

from tests.gateways.xmpp.client import client, neighbour
from tests.gateways.xmpp.neighbours import PROSODY, Neighbours, neighbours
from tests.gateways.xmpp.site import DOMAIN


@pytest.fixture(scope="module", params=[True, False], ids=["external", "dialback"])
def near(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with neighbours(tmp_path_factory.mktemp("near"), trusted=request.param) as both:
        yield both


async def test_two_people_of_two_servers_write_to_each_other(near: Neighbours) -> None:
    (alice,) = near.site.people("alice")
    async with client(near.site, alice.id) as a, neighbour(near, "romeo") as romeo:
        a.send_message(f"romeo@{PROSODY}", "你好", mtype="chat")
        await romeo.has("你好")
        assert romeo.messages[0]["from"].bare == f"{alice.id}@{DOMAIN}"
        romeo.send_message(f"{alice.id}@{DOMAIN}", "Wherefore?", mtype="chat")
        await a.has("Wherefore?")
    assert alice.texts(alice.direct(f"romeo@{PROSODY}")) == ["你好", "Wherefore?"]
