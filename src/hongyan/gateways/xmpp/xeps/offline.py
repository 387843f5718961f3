"""XEP-0160: Offline Messages: what came while no client was there, as far as it is unread; not to clients that have asked the
archive (XEP-0313, section 5.1.1).
"""

from hongyan.gateways.xmpp.chats import told
from hongyan.gateways.xmpp.messages import shown_id
from hongyan.gateways.xmpp.resource import Resource
from hongyan.gateways.xmpp.said import Reader, stanza_id
from hongyan.gateways.xmpp.table import Table
from hongyan.gateways.xmpp.times import delay

_MOST = 200


def register(table: Table) -> None:
    table.available.append(_available)
    table.feature("msgoffline")


async def _available(resource: Resource) -> None:
    house, user = resource.house, resource.user
    if resource.archive_asked:
        return
    events = await house.xmpp.positions.missed(user, resource.since, _MOST)
    about = await house.messaging.archive.about(resource.caller, events)
    await house.xmpp.places.learn([event.lane for event in events])
    for event in events:
        await resource.may_take()
        place, form = house.xmpp.places.get(event.lane), house.table.forms.get(event.type)
        peer = place.peer(user) if place is not None else None
        if place is None or peer is None or form is None or resource.around.blocks(house.jid(peer)):
            continue
        inside = form(event, Reader(house.domain, house.rooms_domain, place), about)
        if inside:
            inside += f"{stanza_id(str(resource.jid.bare), event)}{delay(event.time, house.domain)}"
            told(resource, False, peer, inside, shown_id(event.client_id, event.seq))
