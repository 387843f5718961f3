"""Presence of contacts (RFC 6121, section 4.4): what the platform tells of people is presence of their resources."""

from typing import Any

from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.table import Table


def register(table: Table) -> None:
    table.signals["presence"].append(_told)


def _told(resource: Resource, body: dict[str, Any]) -> None:
    resource.house.people.sync(resource, body["user"])
