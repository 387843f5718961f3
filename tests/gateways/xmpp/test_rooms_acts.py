"""What is done to messages of a room by a client of slixmpp, as its other occupants and everybody else see it."""

from typing import Any

from tests.gateways.xmpp.client import client
from tests.gateways.xmpp.rooms import PLUGINS as ROOM
from tests.gateways.xmpp.rooms import Room
from tests.gateways.xmpp.site import Site
from tests.gateways.xmpp.test_acts import PLUGINS as ACTS
from tests.gateways.xmpp.test_acts import amended, content

PLUGINS = (*ROOM, *ACTS)


async def test_what_is_done_to_messages_comes_to_everybody_in_the_room(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("茶", bob.id)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        rooms = mine, theirs = Room(a, lane), Room(b, lane)
        for room in rooms:
            await room.join()

        async def told(plugin: str, **parts: Any) -> Any:
            """The newest message of the room with this element, when it says these things to both."""

            def found(room: Room) -> Any:
                newest = next((one for one in reversed(room.messages) if one.get_plugin(plugin, check=True) is not None), None)
                return newest if newest and all(newest[plugin][name] == part for name, part in parts.items()) else None

            return [await room.client.until(lambda room=room: found(room)) for room in rooms][1]

        mine.say("你好，鸿燕")
        await theirs.has((alice.id, "你好，鸿燕"))
        (said,) = [one for one in theirs.messages if one["body"]]
        place = said["stanza_id"]["id"]
        (seq,) = [event["seq"] for event in bob.history(lane) if event["type"] == "message"]

        a.plugin["xep_0308"].build_correction(said["id"], mine.jid, mtype="groupchat", mbody="你好，鸿雁").send()
        corrected = await told("replace", id=said["id"])
        assert (corrected["body"], corrected["from"].resource) == ("你好，鸿雁", alice.id)
        assert amended(bob, lane, seq)["text"] == "你好，鸿雁"

        liked = b.make_message(theirs.jid, mtype="groupchat")
        b.plugin["xep_0444"].set_reactions(liked, place, ["🎉", "👍"])
        liked.send()
        reactions = await told("reactions", id=place, values={"🎉", "👍"})
        assert reactions["from"].resource == bob.id
        assert set(amended(alice, lane, seq)["reactions"]) == {"🎉", "👍"}

        b.plugin["xep_0461"].send_reply(said["from"], place, "你好，鸿雁", mto=theirs.jid, mbody="你也好", mtype="groupchat")
        reply = await told("reply", id=place, to=str(said["from"]))
        assert reply["reply"].strip_fallback_content() == "你也好"
        assert content(alice, lane) == {"type": "text", "text": "你也好", "reply": seq}

        a.plugin["xep_0424"].send_retraction(mine.jid, place, mtype="groupchat")
        retracted = await told("retract", id=place)
        assert retracted["from"].resource == alice.id
        (recalled,) = [event for event in bob.history(lane) if event["seq"] == seq]
        assert recalled["content"] == {"type": "recalled"}
