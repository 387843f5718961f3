"""What XMPP needs of the store besides messages: which conversation is which address, who knows whom, what people publish."""

from hongyan.features.xmpp.circle import Circle, Circles, Contact
from hongyan.features.xmpp.directory import Directory, Person, Room
from hongyan.features.xmpp.forwarding import Forwarding
from hongyan.features.xmpp.nodes import MOST_ITEMS, Access, Item, Node, Nodes, Published
from hongyan.features.xmpp.pictures import Picture
from hongyan.features.xmpp.places import Place, Places
from hongyan.features.xmpp.registrations import Registration, Registrations, Summary
from hongyan.features.xmpp.remotes import is_remote
from hongyan.features.xmpp.rooms import Membership, Rooms
from hongyan.features.xmpp.rosters import RoomChange, Roster, Rosters, decode_change
from hongyan.features.xmpp.service import Xmpp
from hongyan.features.xmpp.subscriptions import Change, Subscription
from hongyan.features.xmpp.telling import About
from hongyan.features.xmpp.waking import Wake, Waking
from hongyan.features.xmpp.watchers import Watcher, WatcherList, Watchers

__all__ = [
    "MOST_ITEMS",
    "About",
    "Access",
    "Change",
    "Circle",
    "Circles",
    "Contact",
    "Directory",
    "Forwarding",
    "Item",
    "Membership",
    "Node",
    "Nodes",
    "Person",
    "Picture",
    "Place",
    "Places",
    "Published",
    "Registration",
    "Registrations",
    "Room",
    "RoomChange",
    "Rooms",
    "Roster",
    "Rosters",
    "Subscription",
    "Summary",
    "Wake",
    "Waking",
    "Watcher",
    "WatcherList",
    "Watchers",
    "Xmpp",
    "decode_change",
    "is_remote",
]
