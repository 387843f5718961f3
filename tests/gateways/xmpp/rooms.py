"""A room as a client of slixmpp sees it, with what it was told of it."""

import asyncio
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID
from slixmpp.exceptions import IqError, PresenceError

from tests.gateways.xmpp.client import Client
from tests.gateways.xmpp.site import DOMAIN, SECONDS

ROOMS = f"rooms.{DOMAIN}"
PLUGINS = ("xep_0045", "xep_0059", "xep_0004", "xep_0203", "xep_0249", "xep_0359")
USER = "{http://jabber.org/protocol/muc#user}"
ADMIN = "http://jabber.org/protocol/muc#admin"
OWNER = "http://jabber.org/protocol/muc#owner"


class Room:
    """Everything that comes from it is kept, in order."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.jid = JID(f"{name}@{ROOMS}")
        self.stanzas: list[Any] = []
        client.add_filter("in", self._keep)

    def _keep(self, stanza: Any) -> Any:
        if stanza.name in ("message", "presence") and stanza["from"].bare == self.jid.bare:
            self.stanzas.append(stanza)
            self.client._changed.set()
        return stanza

    async def join(self, nick: str = "me", **history: Any) -> Any:
        """What `join_muc_wait` gives: own presence, subject, occupants, history."""
        muc = self.client.plugin["xep_0045"]
        return await muc.join_muc_wait(self.jid, nick, timeout=SECONDS, **(history or {"maxstanzas": 20}))

    async def join_refused(self) -> str:
        try:
            await self.join()
        except PresenceError as error:
            return str(error.condition)
        raise AssertionError("it could be joined")

    def say(self, body: str, **more: Any) -> str:
        """The id of the message."""
        message = self.client.make_message(self.jid, body, mtype="groupchat", **more)
        message["id"] = self.client.new_id()
        message.send()
        return str(message["id"])

    async def refused(self, message_id: str) -> str:
        """The condition of the error to a message."""
        found = await self.client.until(
            lambda: [one for one in self.messages if one["type"] == "error" and one["id"] == message_id]
        )
        return str(found[0]["error"]["condition"])

    @property
    def messages(self) -> list[Any]:
        return [one for one in self.stanzas if one.name == "message"]

    @property
    def presences(self) -> list[Any]:
        return [one for one in self.stanzas if one.name == "presence"]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Who has said what."""
        return [(one["from"].resource, one["body"]) for one in self.messages if one["body"] and one["type"] == "groupchat"]

    @property
    def subjects(self) -> list[str]:
        return [
            one.xml.findtext("{jabber:client}subject") or "" for one in self.messages if not one["body"] and _has(one, "subject")
        ]

    async def has(self, *texts: tuple[str, str]) -> None:
        """Until these were said, in this order, and nothing else."""
        await self.client.until(lambda: len(self.texts) >= len(texts))
        assert self.texts == list(texts)

    async def until(self, nick: str, type: str = "", *codes: int, **item: str) -> Any:
        """A presence of this occupant with these codes and attributes of its item."""

        def found() -> Any:
            for one in self.presences:
                if one["from"].resource == nick and one.xml.get("type", "") == type and set(codes) <= set(status(one)):
                    told = item_of(one)
                    if all(told.get(name) == value for name, value in item.items()):
                        return one
            return None

        return await self.client.until(found)

    async def config(self, values: dict[str, str] | None = None) -> None:
        """Submit the form with these fields, or take what is usual. Raises IqError."""
        form = self.client.plugin["xep_0004"].make_form(ftype="submit")
        if values is not None:
            form.add_field("FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/muc#roomconfig")
            for name, value in values.items():
                form.add_field(f"muc#roomconfig_{name}", value=value)
        await self.client.plugin["xep_0045"].set_room_config(self.jid, form)

    async def form(self) -> dict[str, str]:
        form = await self.client.plugin["xep_0045"].get_room_config(self.jid)
        return {name.removeprefix("muc#roomconfig_"): field["value"] for name, field in form.get_fields().items() if "#" in name}

    async def give(self, user: str, affiliation: str) -> None:
        """Raises IqError."""
        await self.client.plugin["xep_0045"].set_affiliation(self.jid, affiliation, jid=f"{user}@{DOMAIN}")

    async def list(self, affiliation: str) -> list[str]:
        found = await self.client.plugin["xep_0045"].get_affiliation_list(self.jid, affiliation)
        return [str(one).partition("@")[0] for one in found]

    async def info(self, node: str | None = None) -> Any:
        return (await self.client.plugin["xep_0030"].get_info(self.jid, node=node, cached=False))["disco_info"]

    async def synced(self) -> None:
        """Everything that was sent to this client before has come."""
        await self.client.plugin["xep_0199"].send_ping(JID(DOMAIN), timeout=SECONDS)

    async def self_ping(self, nick: str) -> None:
        await self.client.plugin["xep_0199"].send_ping(JID(f"{self.jid.bare}/{nick}"), timeout=SECONDS)


def _has(message: Any, name: str) -> bool:
    return message.xml.find(f"{{jabber:client}}{name}") is not None


def status(stanza: Any) -> list[int]:
    return [int(one.get("code")) for one in stanza.xml.iter(f"{USER}status")]


def item_of(stanza: Any) -> Element:
    found = stanza.xml.find(f"{USER}x/{USER}item")
    return found if found is not None else Element("none")


async def condition(asked: Any) -> str:
    """Of the error that this gives; empty when it is done."""
    try:
        async with asyncio.timeout(SECONDS):
            await asked
    except IqError as error:
        return str(error.condition)
    return ""


async def raw(room: Room, namespace: str, inside: str, type: str = "set", **item: str) -> str:
    """The condition of the error to a query with one element in it."""
    iq = room.client.make_iq(ito=room.jid, itype=type)
    query = Element(f"{{{namespace}}}query")
    SubElement(query, f"{{{namespace}}}{inside}", item)
    iq.append(query)
    return await condition(iq.send(timeout=SECONDS))
