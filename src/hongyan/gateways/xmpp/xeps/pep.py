"""XEP-0163: Personal Eventing Protocol, on what it needs of XEP-0060: nodes of accounts, read by whom their access allows."""

from collections.abc import Awaitable, Callable

from hongyan.core.errors import NotFound, TooLarge
from hongyan.features.xmpp import MOST_ITEMS, Item, Node, is_remote
from hongyan.gateways.xmpp.codec import Element, quote, render
from hongyan.gateways.xmpp.faults import StanzaFault
from hongyan.gateways.xmpp.forms import NodeForm, node_form, read_node_form
from hongyan.gateways.xmpp.jid import Jid
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table

NS = "http://jabber.org/protocol/pubsub"
OWNER = f"{NS}#owner"
ERRORS = f"{NS}#errors"
_FEATURES = (
    "access-open", "access-presence", "access-whitelist", "auto-create", "config-node", "create-and-configure", "create-nodes",
    "delete-items", "delete-nodes", "filtered-notifications", "item-ids", "last-published", "multi-items", "persistent-items",
    "publish", "publish-options", "purge-nodes", "retract-items", "retrieve-items", "config-node-max",
)  # fmt: skip

_KEYS = ("eu.siacs.conversations.axolotl.", "urn:xmpp:omemo:")
"""Names of nodes of OMEMO: who wants to encrypt for somebody needs what is in them, also in a room where they meet first."""

Act = Callable[[Resource, Element, Element], Awaitable[str]]


def register(table: Table) -> None:
    table.iq("account", "get", f"{NS} pubsub", _read)
    table.iq("user", "get", f"{NS} pubsub", _read)
    table.iq("account", "set", f"{NS} pubsub", _acting({"publish": _publish, "retract": _retract, "create": _create}))
    owners: dict[str, Act] = {"configure": _configure, "delete": _delete, "purge": _purge}
    table.iq("account", "set", f"{OWNER} pubsub", _acting(owners))
    table.iq("account", "get", f"{OWNER} pubsub", _configuration)
    table.feature(f"{NS}#publish-options")  # profanity 0.13 asks the server alone, and lets others read its keys only then
    table.feature(NS, f"{NS}#config-node-max", *(f"{NS}#{one}" for one in _FEATURES), where="account")


def _acting(acts: dict[str, Act]):  # type: ignore[no-untyped-def]
    async def act(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
        for child in query.children:
            if child.local in acts:
                resource.house.changes.spend(resource.user)
                return await acts[child.local](resource, query, child)
        raise StanzaFault("feature-not-implemented", more=f"<unsupported xmlns='{ERRORS}'/>")

    return act


def _name(element: Element) -> str:
    """Names that begin with a space are not for clients (`features/xmpp/tables.py`)."""
    node = element.get("node")
    if not node:
        raise StanzaFault("bad-request", more=f"<nodeid-required xmlns='{ERRORS}'/>")
    if node.startswith(" "):
        raise StanzaFault("item-not-found")
    return node


# Reading


async def _read(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    wanted = query.child(f"{NS} items")
    if wanted is None:
        raise StanzaFault("feature-not-implemented")
    node = _name(wanted)
    ids = [one.get("id") for one in wanted.all(f"{NS} item") if one.get("id")][:MOST_ITEMS]
    most = wanted.get("max_items")
    if most and not (most.isascii() and most.isdecimal() and len(most) < 10):
        raise StanzaFault("bad-request", "max_items is a number")
    owner, house = to.local, resource.house
    derived = house.table.nodes.get(node)
    there = Node(node, derived.access) if derived is not None else await house.xmpp.nodes.get(owner, node)
    if there is None or not await may_read(resource, owner, there):
        raise StanzaFault("item-not-found")
    if derived is not None:
        found = await derived.items(resource, owner, ids)
    else:
        found = await house.xmpp.nodes.items(owner, node, ids)
    if most:
        found = found[: int(most)]
    items = "".join([f"<item id='{quote(one.id)}'>{one.payload}</item>" for one in found])
    return f"<pubsub xmlns='{NS}'><items node='{quote(node)}'>{items}</items></pubsub>"


async def may_read(resource: Resource, owner: str, node: Node) -> bool:
    """Asked of the reader's own circle, which is as true as the owner's: a direct conversation has two ends."""
    if owner == resource.user:
        return True
    if node.access == "whitelist":
        return False
    house = resource.house
    if is_remote(resource.user):
        if (await house.xmpp.circles.of(owner)).blocks(resource.user, resource.jid.domain, resource.jid.resource):
            return False
        return node.access == "open" or (await house.xmpp.subscriptions.get(owner, resource.user)).seen
    circle = await house.people.refresh(resource)
    if owner in circle.blocked_by:
        return False
    return node.access == "open" or owner in circle.people


# Writing


async def _publish(resource: Resource, query: Element, publish: Element) -> str:
    name, items, house = _name(publish), publish.all(f"{NS} item"), resource.house
    if len(items) != 1 or len(items[0].children) != 1:
        raise StanzaFault("bad-request", "One item with one payload at a time", more=f"<payload-required xmlns='{ERRORS}'/>")
    payload = items[0].children[0]
    id = items[0].get("id") or house.fresh_id()
    derived = house.table.nodes.get(name)
    if derived is not None:
        await derived.publish(resource, id, payload)
    else:
        form = read_node_form(query.child(f"{NS} publish-options"), NodeForm())
        there = await house.xmpp.nodes.get(resource.user, name)
        if there is not None and form.applied(there) != there:
            raise StanzaFault("conflict", more=f"<precondition-not-met xmlns='{ERRORS}'/>")
        try:
            await house.xmpp.nodes.publish(resource.caller, form.applied(there or _new(name)), Item(id, render(payload, "?")))
        except TooLarge as error:
            raise StanzaFault("not-acceptable", error.detail, more=f"<payload-too-big xmlns='{ERRORS}'/>") from None
    return f"<pubsub xmlns='{NS}'><publish node='{quote(name)}'><item id='{quote(id)}'/></publish></pubsub>"


async def _retract(resource: Resource, query: Element, retract: Element) -> str:
    name, items, house = _name(retract), retract.all(f"{NS} item"), resource.house
    if len(items) != 1 or not items[0].get("id"):
        raise StanzaFault("bad-request", "One item at a time", more=f"<item-required xmlns='{ERRORS}'/>")
    derived = house.table.nodes.get(name)
    if derived is not None:
        await derived.retract(resource, items[0].get("id"))
    else:
        await house.xmpp.nodes.retract(resource.caller, name, items[0].get("id"))
    return ""


async def _create(resource: Resource, query: Element, create: Element) -> str:
    name = create.get("node") or resource.house.fresh_id()
    if name.startswith(" ") or name in resource.house.table.nodes:
        raise StanzaFault("conflict", "There is such a node")
    form = read_node_form(query.child(f"{NS} configure"), NodeForm())
    await resource.house.xmpp.nodes.make(resource.caller, form.applied(_new(name)))
    return f"<pubsub xmlns='{NS}'><create node='{quote(name)}'/></pubsub>"


def _new(name: str) -> Node:
    """As nothing else is asked for."""
    return Node(name, "open") if name.startswith(_KEYS) else Node(name)


async def _configuration(resource: Resource, iq: Element, query: Element, to: Jid) -> str:
    asked = query.child(f"{OWNER} configure") or query.child(f"{OWNER} default")
    if asked is None:
        raise StanzaFault("feature-not-implemented", more=f"<unsupported xmlns='{ERRORS}'/>")
    if asked.local == "default":
        return f"<pubsub xmlns='{OWNER}'><default>{node_form(Node(''))}</default></pubsub>"
    node = await _owned(resource, asked)
    return f"<pubsub xmlns='{OWNER}'><configure node='{quote(node.name)}'>{node_form(node)}</configure></pubsub>"


async def _configure(resource: Resource, query: Element, configure: Element) -> str:
    node = await _owned(resource, configure)
    await resource.house.xmpp.nodes.configure(resource.caller, read_node_form(configure, NodeForm()).applied(node))
    return ""


async def _delete(resource: Resource, query: Element, delete: Element) -> str:
    node = await _owned(resource, delete)
    await resource.house.xmpp.nodes.clear(resource.caller, node.name, whole=True)
    return ""


async def _purge(resource: Resource, query: Element, purge: Element) -> str:
    node = await _owned(resource, purge)
    await resource.house.xmpp.nodes.clear(resource.caller, node.name, whole=False)
    return ""


async def _owned(resource: Resource, element: Element) -> Node:
    name, house = _name(element), resource.house
    if name in house.table.nodes:
        raise StanzaFault("not-allowed", "This node shows what the platform knows")
    node = await house.xmpp.nodes.get(resource.user, name)
    if node is None:
        raise NotFound("There is no such node")
    return node
