"""`hongyan chat --tui`: the client on a whole screen, on the same SDK as the line mode.

`FullScreen` is the application; `run` shows it until the person leaves.
"""

from hongyan.client.terminal.full.app import FullScreen, run

__all__ = ["FullScreen", "run"]
