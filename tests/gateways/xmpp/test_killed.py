"""kill -9 of the node while clients of slixmpp talk: what was acknowledged is there, once, and the archive fills the gap."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

from tests.gateways.xmpp.client import Client, client
from tests.gateways.xmpp.site import DOMAIN, SECONDS, Site

PLUGINS = ("xep_0059", "xep_0198", "xep_0203", "xep_0297", "xep_0313", "xep_0359")
FREE = {"LIMITS_SENDS_BURST": "100000", "LIMITS_SENDS_PER_SECOND": "100000"}


class Talker:
    """Says one thing after the other as long as it is connected, and knows what was acknowledged and what it has heard."""

    def __init__(self, one: Client, other: str) -> None:
        self.one = one
        self.other = f"{other}@{DOMAIN}"
        self.said: list[str] = []
        self.acknowledged: list[str] = []
        self.heard: list[str] = []
        self._numbers = itertools.count()
        self._gone = asyncio.Event()
        self._refused = asyncio.Event()
        one.add_event_handler("stanza_acked", self._acknowledged)
        one.add_event_handler("disconnected", lambda _: self._gone.set())
        one.add_event_handler("sm_failed", lambda _: self._refused.set())

    def _acknowledged(self, stanza: Any) -> None:
        if stanza.name == "message":
            self.acknowledged.append(stanza["body"])

    def say(self, text: str) -> None:
        self.said.append(text)
        self.one.send_message(self.other, text, mtype="chat")

    async def talk(self) -> None:
        while not self._gone.is_set():
            self.say(f"{self.one.boundjid.user} {next(self._numbers)}")
            await asyncio.sleep(0.002)

    async def again(self, port: int) -> None:
        """Connected, with another session: a node that was killed knows of no older one. What it missed it asks for."""
        for event in (self._gone, self._refused, self.one.started):
            event.clear()
        self.one.connect("127.0.0.1", port)
        async with asyncio.timeout(SECONDS):
            await self.one.started.wait()
        assert self._refused.is_set()
        gap = await self.archive(after=self.one.messages[-1]["stanza_id"]["id"])
        self.heard += self.one.texts + [text for sender, text in gap if sender == self.other]
        self.one.messages.clear()
        self.one.send_presence()

    async def archive(self, **query: Any) -> list[tuple[str, str]]:
        """Who has said what, oldest first."""
        found = self.one.plugin["xep_0313"].iterate(rsm={"max": 100, **query})
        messages = [result["mam_result"]["forwarded"]["stanza"] async for result in found]
        return [(message["from"].bare, message["body"]) for message in messages]


async def test_what_was_acknowledged_is_there_once_and_the_archive_fills_the_gap(tmp_path: Path) -> None:
    with Site(tmp_path / "data", **FREE) as site:
        alice, bob = site.people("alice", "bob")
        lane = alice.direct(bob.id)
        async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
            talkers = Talker(a, bob.id), Talker(b, alice.id)
            for _ in range(2):
                before = [len(each.acknowledged) for each in talkers]
                async with asyncio.TaskGroup() as tasks:
                    for each in talkers:
                        tasks.create_task(each.talk())
                    for each, count in zip(talkers, before, strict=True):
                        await each.one.until(lambda each=each, count=count: len(each.acknowledged) > count + 30)
                    site.server.kill()
                await asyncio.to_thread(site.server.start)
                for each in talkers:
                    await each.again(site.port)
                    whole = await each.archive()
                    assert [text for _, text in whole] == alice.texts(lane)
                    assert each.heard == [text for sender, text in whole if sender == each.other]
                    kept = [text for sender, text in whole if sender == each.one.boundjid.bare]
                    assert [text for text in kept if text in each.acknowledged] == each.acknowledged
                    assert kept == each.said[: len(kept)]
                    del each.said[len(kept) :]  # what is lost was not acknowledged
