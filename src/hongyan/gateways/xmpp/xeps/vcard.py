"""XEP-0054: vcard-temp, XEP-0153: its picture, XEP-0292: vCard4.

The name is the directory's and the picture the platform's; the rest of a vCard is kept as its owner's client wrote it.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha1

from hongyan.core.errors import Invalid, NotFound
from hongyan.features.xmpp import Item, Node
from hongyan.gateways.xmpp.codec import Element, escape, render
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.incoming import user_of
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.pictures import TYPE, picture
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Derived, Table

NS = "vcard-temp"
NS4 = "urn:ietf:params:xml:ns:vcard-4.0"
NODE4 = "urn:xmpp:vcard4"
_KEPT = " vcard"
_KEPT4 = " vcard4"
_OURS = frozenset({"FN", "NICKNAME", "PHOTO", "JABBERID"})
_OURS4 = frozenset({"fn", "photo", "impp"})


def register(table: Table) -> None:
    for where in ("account", "user"):
        table.iq(where, "get", f"{NS} vCard", _get)
        table.iq(where, "get", f"{NS4} vcard", _get4)
    table.iq("account", "set", f"{NS} vCard", _set)
    table.iq("account", "set", f"{NS4} vcard", _set4)
    table.nodes[NODE4] = _VCard4()
    table.feature(NS)
    table.feature(NS, NS4, "urn:xmpp:pep-vcard-conversion:0", where="account")


async def _get(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    user, house = await user_of(resource, to), resource.house
    name = escape((await house.messaging.people.get(user)).name)
    address = escape(str(house.jid(user)))
    parts = [f"<FN>{name}</FN><NICKNAME>{name}</NICKNAME><JABBERID>{address}</JABBERID>"]
    parts += [item.payload for item in await house.xmpp.nodes.items(user, _KEPT)]
    try:
        content, _ = await picture(house, resource.caller, user)
    except NotFound:
        pass
    else:
        parts.append(f"<PHOTO><TYPE>{TYPE}</TYPE><BINVAL>{b64encode(content).decode()}</BINVAL></PHOTO>")
    return f"<vCard xmlns='{NS}'>{''.join(parts)}</vCard>"


async def _set(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    """An empty PHOTO takes the picture away; without one it stays."""
    resource.house.changes.spend(resource.user)
    photo = query.child(f"{NS} PHOTO")
    if photo is not None:
        await _photo(resource, photo.said(f"{NS} BINVAL") or "")
    await _keep(resource, _KEPT, query, NS, _OURS)
    return ""


async def _photo(resource: Resource, written: str) -> None:
    house = resource.house
    try:
        content = b64decode("".join(written.split()), validate=True)
    except ValueError:
        raise Invalid("A picture is written in Base64") from None
    if not content:
        await house.avatars.remove(resource.caller)
        return
    there = (await house.xmpp.pictures.of([resource.user])).get(resource.user)
    if there is None or there.sha1 != sha1(content, usedforsecurity=False).hexdigest():
        await house.avatars.put(resource.caller, content)


async def _keep(resource: Resource, node: str, card: Element, space: str, ours: frozenset[str]) -> None:
    kept = "".join([render(child, space) for child in card.children if child.space == space and child.local not in ours])
    await resource.house.xmpp.nodes.publish(resource.caller, Node(node, "whitelist"), Item("card", kept), hidden=True)


async def _get4(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    return await _card4(resource, await user_of(resource, to))


async def _set4(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    resource.house.changes.spend(resource.user)
    await _keep(resource, _KEPT4, query, NS4, _OURS4)
    return ""


async def _card4(resource: Resource, user: str) -> str:
    house = resource.house
    name = escape((await house.messaging.people.get(user)).name)
    impp = f"<impp><uri>xmpp:{escape(str(house.jid(user)))}</uri></impp>"
    kept = "".join([item.payload for item in await house.xmpp.nodes.items(user, _KEPT4)])
    return f"<vcard xmlns='{NS4}'><fn><text>{name}</text></fn>{impp}{kept}</vcard>"


class _VCard4(Derived):
    access = "open"

    async def items(self, resource: Resource, owner: str, ids: Sequence[str]) -> list[Item]:
        return [Item("current", await _card4(resource, owner))]

    async def publish(self, resource: Resource, id: str, payload: Element) -> None:
        if payload.name != f"{NS4} vcard":
            raise StanzaFault("bad-request")
        await _keep(resource, _KEPT4, payload, NS4, _OURS4)
