"""Data forms (XEP-0004) of nodes (XEP-0060, section 16.4.4): who may read, how many items are kept. Other fields do not count."""

import msgspec

from hongyan.features.xmpp import MOST_ITEMS, Access, Node
from hongyan.gateways.xmpp.codec import Element
from hongyan.gateways.xmpp.faults import StanzaFault

DATA = "jabber:x:data"
_P = "pubsub#"
_ACCESS: dict[str, Access] = {
    "open": "open",
    "presence": "presence",
    "roster": "presence",
    "whitelist": "whitelist",
    "authorize": "whitelist",
}


class NodeForm(msgspec.Struct, frozen=True):
    """What was asked for."""

    access: Access | None = None
    most: int | None = None

    def applied(self, node: Node) -> Node:
        return Node(node.name, self.access or node.access, self.most or node.most)


def read_node_form(around: Element | None, otherwise: NodeForm) -> NodeForm:
    """The form inside an element, if there is one. Raises StanzaFault."""
    form = around.child(f"{DATA} x") if around is not None else None
    if form is None or form.get("type") == "cancel":
        return otherwise
    fields = {field.get("var"): (field.said(f"{DATA} value") or "").strip() for field in form.all(f"{DATA} field")}
    access, most = fields.get(f"{_P}access_model"), fields.get(f"{_P}max_items")
    if access and access not in _ACCESS:
        raise StanzaFault("not-acceptable", "There is no such access model")
    return NodeForm(_ACCESS[access] if access else None, _most(most) if most else None)


def _most(said: str) -> int:
    if said == "max":
        return MOST_ITEMS
    if not (said.isascii() and said.isdecimal() and 0 < len(said) < 10 and int(said)):
        raise StanzaFault("not-acceptable", "max_items is a number, or max")
    return min(int(said), MOST_ITEMS)


def node_form(node: Node) -> str:
    options = "".join(f"<option><value>{one}</value></option>" for one in ("open", "presence", "whitelist"))
    return (
        f"<x xmlns='{DATA}' type='form'>"
        f"<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>"
        f"<field var='{_P}access_model' type='list-single'><value>{node.access}</value>{options}</field>"
        f"<field var='{_P}max_items' type='text-single'><value>{node.most}</value></field>"
        f"<field var='{_P}persist_items' type='boolean'><value>1</value></field></x>"
    )
