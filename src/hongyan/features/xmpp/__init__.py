"""What XMPP needs of the store besides messages: which conversation is which address, and who is in a room."""

from hongyan.features.xmpp.directory import Directory, Person, Room
from hongyan.features.xmpp.places import Place, Places
from hongyan.features.xmpp.rosters import RoomChange, Roster, Rosters, decode_change
from hongyan.features.xmpp.service import Xmpp

__all__ = ["Directory", "Person", "Place", "Places", "Room", "RoomChange", "Roster", "Rosters", "Xmpp", "decode_change"]
