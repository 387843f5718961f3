"""Accounts, passwords and tokens: who somebody is.

Others use `Identity` and its answers; what is in the tables is this room's alone.
"""

from hongyan.features.identity.authzid import require_own
from hongyan.features.identity.exchange import Exchange
from hongyan.features.identity.model import AccountView, IssuedToken, Login, TokenView
from hongyan.features.identity.passwords import Proven
from hongyan.features.identity.service import Identity
from hongyan.features.identity.tokens import ACCOUNTS_LANE

__all__ = ["ACCOUNTS_LANE", "AccountView", "Exchange", "Identity", "IssuedToken", "Login", "Proven", "TokenView", "require_own"]
