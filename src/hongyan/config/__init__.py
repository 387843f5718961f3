"""Settings: one typed tree with safe defaults, and where its values come from. Each is listed in docs/reference/settings.md.

`Settings()` is a complete, usable tree. `load` reads a TOML file, then the environment, then flags; the later wins.
"""

from hongyan.config.endpoint import Endpoint, parse_endpoint
from hongyan.config.load import SettingsError, load, variable
from hongyan.config.settings import (
    Cim,
    Dns,
    Embed,
    Files,
    Http,
    Identity,
    Limits,
    Log,
    Logging,
    Messages,
    Node,
    Own,
    Push,
    Search,
    Settings,
    Timers,
)

__all__ = [
    "Cim",
    "Dns",
    "Embed",
    "Endpoint",
    "Files",
    "Http",
    "Identity",
    "Limits",
    "Log",
    "Logging",
    "Messages",
    "Node",
    "Own",
    "Push",
    "Search",
    "Settings",
    "SettingsError",
    "Timers",
    "load",
    "parse_endpoint",
    "variable",
]
