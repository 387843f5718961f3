"""CIM's people: numbers instead of names, one log-in for each at a time, and what they have missed.

CIM users are ordinary users. The gateway uses a `Cim` and its answers; what is in the tables is this room's alone.
"""

from hongyan.features.cim.model import Account, Admitted, Confirmed, Connected, LoginRefused, Missed, NotTrusted, Reason
from hongyan.features.cim.service import Cim

__all__ = ["Account", "Admitted", "Cim", "Confirmed", "Connected", "LoginRefused", "Missed", "NotTrusted", "Reason"]
