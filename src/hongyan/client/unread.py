"""How many messages of others are above the read mark: the part of the fold that must be able to take messages back out."""

MOST = 1000
"""The server counts no further, so neither does the fold."""
_KEPT = 4096


class Unread:
    """Starts from the server's number, which says how many but not which; then remembers the places of what arrives."""

    def __init__(self, count: int, read_seq: int, head_seq: int) -> None:
        self.read_seq = read_seq
        self._unknown = count
        """Unread messages whose places are not known; all of them at or below `_known_above`."""
        self._known_above = head_seq
        self._places: list[int] = []

    @property
    def count(self) -> int:
        return min(MOST, self._unknown + len(self._places))

    def arrived(self, seq: int) -> None:
        """A message of somebody else. Beyond the bound the oldest places are forgotten, not the messages."""
        if seq <= self.read_seq:
            return
        self._places.append(seq)
        if len(self._places) > _KEPT:
            forgotten = self._places[: _KEPT // 2]
            del self._places[: _KEPT // 2]
            self._unknown += len(forgotten)
            self._known_above = forgotten[-1]

    def read(self, seq: int) -> bool:
        """Move the mark, never back. False when the new count cannot be told from what is known: load it again."""
        if seq <= self.read_seq:
            return True
        self.read_seq = seq
        self._places = [place for place in self._places if place > seq]
        if seq >= self._known_above:
            self._unknown = 0
        return self._unknown == 0
