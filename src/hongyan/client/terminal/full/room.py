"""What is shown of one conversation, or one thread: its messages in order, and what was done to them. No screen in here."""

from collections.abc import Sequence

from hongyan.client.model import Event
from hongyan.core.amending import Amended, amend, target

KEPT = 600
"""Messages that are kept while one scrolls; beyond that the far end is let go."""


class Room:
    """A window of a conversation (`root` None), or of the thread of its message `root`."""

    def __init__(self, conversation: str, me: str, root: int | None = None) -> None:
        self.conversation = conversation
        self.me = me
        self.root = root
        self.messages: dict[int, Event] = {}
        """By seq, ascending."""
        self.states: dict[int, Amended] = {}
        self.more = True
        """There are older ones at the server."""
        self.newest = True
        """The newest message is in the window."""

    def load(self, events: Sequence[Event], states: Sequence[Amended], *, more: bool, older: bool) -> list[Event]:
        """A page of history. Gives the messages that were not here, ascending."""
        fresh = [event for event in events if self._shows(event) and event.seq not in self.messages]
        for event in fresh:
            self.messages[event.seq] = event
        for state in states:
            if state.seq not in self.states or self.states[state.seq].at < state.at:
                self.states[state.seq] = state
        self.messages = dict(sorted(self.messages.items()))
        if older or len(fresh) == len(self.messages):
            self.more = more
        self._let_go(oldest=not older)
        return fresh

    def apply(self, event: Event) -> int | None:
        """An event as it happens. Gives the `seq` of the message that is new or looks different now."""
        if event.conversation != self.conversation:
            return None
        if self._shows(event):
            if event.seq in self.messages or not self.newest:
                return None
            self.messages[event.seq] = event
            self._let_go(oldest=True)
            return event.seq
        seq = target(event)
        if seq is None or seq not in self.messages:
            return None
        self.states[seq] = amend(self.states.get(seq, Amended(seq)), event, self.me)
        return seq

    def state(self, seq: int) -> Amended:
        return self.states.get(seq, Amended(seq))

    def text(self, seq: int) -> str:
        """What a message says now; empty when it was taken back or says nothing in words."""
        state = self.state(seq)
        if state.recalled is not None or seq not in self.messages:
            return ""
        return state.text if state.text is not None else self.messages[seq].text

    @property
    def first(self) -> int | None:
        return next(iter(self.messages), None)

    @property
    def last(self) -> int | None:
        return next(reversed(self.messages), None)

    def _shows(self, event: Event) -> bool:
        if self.root is None:
            return event.type == "message"
        return event.seq == self.root or (event.type == "reply" and event.content.get("thread") == self.root)

    def _let_go(self, *, oldest: bool) -> None:
        while len(self.messages) > KEPT:
            seq = next(iter(self.messages)) if oldest else next(reversed(self.messages))
            del self.messages[seq]
            self.states.pop(seq, None)
            if oldest:
                self.more = True
            else:
                self.newest = False
