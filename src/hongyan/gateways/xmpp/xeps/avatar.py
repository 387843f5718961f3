"""XEP-0084: User Avatar, XEP-0172: User Nickname. Pictures and names are the platform's; a picture that is published becomes it.

A published picture is drawn anew (`features/avatars`), so its hash is another than the client has published.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence

from hongyan.core.errors import Invalid, NotFound
from hongyan.features.xmpp import Circle, Item, Node, Published
from hongyan.gateways.xmpp.codec import Element, escape
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.pictures import metadata, picture
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Derived, Table

DATA = "urn:xmpp:avatar:data"
METADATA = "urn:xmpp:avatar:metadata"
NICK = "http://jabber.org/protocol/nick"
_CURRENT = "current"


def register(table: Table) -> None:
    table.nodes[DATA] = _Data()
    table.nodes[METADATA] = _Metadata()
    table.nodes[NICK] = _Nick()
    table.circles.append(_changed)


class _Data(Derived):
    access = "open"

    async def items(self, resource: Resource, owner: str, ids: Sequence[str]) -> list[Item]:
        try:
            content, sha1 = await picture(resource.house, resource.caller, owner)
        except NotFound:
            return []
        data = f"<data xmlns='{DATA}'>{b64encode(content).decode()}</data>"
        return [Item(sha1, data)] if not ids or sha1 in ids else []

    async def publish(self, resource: Resource, id: str, payload: Element) -> None:
        try:
            content = b64decode("".join(payload.text.split()), validate=True)
        except ValueError:
            raise Invalid("A picture is written in Base64") from None
        await resource.house.avatars.put(resource.caller, content)


class _Metadata(Derived):
    access = "open"

    async def items(self, resource: Resource, owner: str, ids: Sequence[str]) -> list[Item]:
        found = (await resource.house.xmpp.pictures.of([owner])).get(owner)
        return [Item(found.sha1, metadata(found))] if found is not None and (not ids or found.sha1 in ids) else []

    async def latest(self, resource: Resource) -> list[Published]:
        circle = resource.around.circle
        people = [resource.user, *(user for user in (circle.people if circle is not None else ()) if resource.around.sees(user))]
        found = await resource.house.xmpp.pictures.of(people)
        return [Published(user, Node(METADATA), Item(one.sha1, metadata(one))) for user, one in found.items()]

    async def publish(self, resource: Resource, id: str, payload: Element) -> None:
        """Of a picture that was published before; an empty one takes it away (section 3.5)."""
        if payload.name != f"{METADATA} metadata":
            raise StanzaFault("bad-request")
        if not payload.children:
            await resource.house.avatars.remove(resource.caller)
        elif not await self.items(resource, resource.user, ()):
            raise StanzaFault("item-not-found", "Publish the picture first")


class _Nick(Derived):
    access = "open"

    async def items(self, resource: Resource, owner: str, ids: Sequence[str]) -> list[Item]:
        return [Item(_CURRENT, _nick((await resource.house.messaging.people.get(owner)).name))]


def _nick(name: str) -> str:
    return f"<nick xmlns='{NICK}'>{escape(name)}</nick>"


def _changed(resource: Resource, before: Circle | None, now: Circle) -> None:
    """Somebody looks otherwise."""
    if before is None or METADATA not in resource.around.wants:
        return
    changed = [user for user, one in now.people.items() if user in before.people and one.picture != before.people[user].picture]
    if now.picture != before.picture:
        changed.append(resource.user)
    if changed:
        resource.house.people.later(_tell(resource, changed))


async def _tell(resource: Resource, people: list[str]) -> None:
    found = await resource.house.xmpp.pictures.of(people)
    for user in people:
        if user == resource.user or resource.around.sees(user):
            one = found.get(user)
            item = Item(one.sha1, metadata(one)) if one is not None else Item(_CURRENT, f"<metadata xmlns='{METADATA}'/>")
            resource.house.people.notify(resource, Published(user, Node(METADATA), item))
