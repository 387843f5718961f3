"""Timers: messages that are sent later, and reminders of messages. Kept by the server, and gone exactly once.

`Timers` is what people do with them; `Going` is the loop on every node that lets them go when they are due.
"""

from hongyan.features.timers.going import Going
from hongyan.features.timers.model import NewReminder, NewSend, TimerList, TimerView
from hongyan.features.timers.service import Timers

__all__ = ["Going", "NewReminder", "NewSend", "TimerList", "TimerView", "Timers"]
