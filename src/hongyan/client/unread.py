"""How many messages above the read mark count: those of others, or those that mention the reader.

The part of the fold that must be able to take messages back out.
"""

from bisect import bisect_left

MOST = 1000
"""The server counts no further, so neither does the fold."""
_KEPT = 4096


class Unread:
    """Starts from the server's number, which says how many but not which; then remembers the places of what arrives."""

    def __init__(self, count: int, read_seq: int, head_seq: int) -> None:
        self.read_seq = read_seq
        self._unknown = count
        """Messages that count and whose places are not known; all of them at or below `_known_above`."""
        self._known_above = head_seq
        self._places: list[int] = []

    @property
    def count(self) -> int:
        return min(MOST, self._unknown + len(self._places))

    def arrived(self, seq: int) -> None:
        """A message that counts. Beyond the bound the oldest places are forgotten, not the messages."""
        if seq <= self.read_seq:
            return
        self._places.append(seq)
        if len(self._places) > _KEPT:
            forgotten = self._places[: _KEPT // 2]
            del self._places[: _KEPT // 2]
            self._unknown += len(forgotten)
            self._known_above = forgotten[-1]

    def changed(self, seq: int, counts: bool) -> bool:
        """A message that is there counts from now on, or does not. False when it cannot be told what it did before."""
        if seq <= self.read_seq:
            return True
        if self._unknown and seq <= self._known_above:
            return False
        at = bisect_left(self._places, seq)
        known = at < len(self._places) and self._places[at] == seq
        if known and not counts:
            del self._places[at]
        elif counts and not known:
            self._places.insert(at, seq)
        return True

    def read(self, seq: int) -> bool:
        """Move the mark, never back. False when the new count cannot be told from what is known: load it again."""
        if seq <= self.read_seq:
            return True
        self.read_seq = seq
        self._places = [place for place in self._places if place > seq]
        if seq >= self._known_above:
            self._unknown = 0
        return self._unknown == 0
