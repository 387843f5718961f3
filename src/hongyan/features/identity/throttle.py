"""How often somebody may guess a password: failures are counted for each account and for each address, in a sliding window.

- A guess is counted before it is verified and given back when it was right, so that parallel guesses are bounded too.
- A name that is no account counts like one that is.
- Nobody is locked out by others who fail on purpose: where an account has logged in before, its guesses are refused only for the
  failures of that pair of account and address, not for those elsewhere or of neighbours behind the same address.
- Refused guesses are not counted: they tell nothing, and waiting ends.
"""

import time
from collections import OrderedDict
from types import TracebackType
from typing import Self

from hongyan.core.errors import RateLimited, WrongPassword
from hongyan.features.identity.address import network

_Key = tuple[str, ...]

_MOST = 200_000
"""Windows kept. A guess makes at most two and costs a PBKDF2 of 50 ms, of which four threads do 72,000 in 15 minutes (a wrong
proof of SCRAM takes up as much of `Deriving`): nobody can push out the windows of an account by filling the rest.
"""
_MOST_KNOWN = 10_000
_KNOWN_MS = 30 * 86_400_000


def ticks_ms() -> int:
    """Milliseconds since some moment, whatever is done to the wall clock."""
    return time.monotonic_ns() // 1_000_000


class _Window:
    """The guesses that count now: when they were made, in ms, and how many of them are not yet decided."""

    __slots__ = ("bound", "pending", "times")

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.times: list[int] = []
        self.pending = 0

    def wait(self, now: int, length: int) -> int:
        """Milliseconds until another guess may be made; 0 is now."""
        while self.times and self.times[0] <= now - length:
            del self.times[0]
        if len(self.times) < self.bound:
            return 0
        if len(self.times) - self.pending < self.bound:
            return 1_000  # others are being verified, and may be right
        return self.times[len(self.times) - self.bound] + length - now

    def count(self, now: int) -> None:
        self.times.append(now)
        self.pending += 1
        del self.times[: -self.bound]

    def decided(self, made: int, *, right: bool) -> None:
        self.pending -= 1
        if right and made in self.times:
            self.times.remove(made)


class Attempt:
    """One guess: `with throttle.attempt(...) as attempt`, verify, `attempt.succeeded()`.

    What fails for another reason than a wrong password is given back; a guess whose maker went away stays counted.
    """

    def __init__(self, throttle: "Throttle", pair: _Key, windows: dict[_Key, _Window], now: int) -> None:
        self._throttle = throttle
        self._pair = pair
        self._windows = windows
        self._now = now
        self._right = False

    def succeeded(self) -> None:
        self._right = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        fault = isinstance(error, Exception) and not isinstance(error, WrongPassword)
        self._throttle.decided(self._windows, self._now, given_back=self._right or fault)
        if self._right:
            self._throttle.know(self._pair, self._now)


class Throttle:
    """`now` is in milliseconds and never goes back: `ticks_ms`, because a wall clock may be set."""

    def __init__(
        self, per_account: int, per_address: int, seconds: float, *, most: int = _MOST, most_known: int = _MOST_KNOWN
    ) -> None:
        self._per_account = per_account
        self._per_address = per_address
        self._length = int(seconds * 1_000)
        self._most = most
        self._most_known = most_known
        self._windows: OrderedDict[_Key, _Window] = OrderedDict()
        self._known: OrderedDict[_Key, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def attempt(self, account: str, address: str, now: int) -> Attempt:
        """Count a guess. Raises RateLimited with `retry_after` when there were too many."""
        place = network(address)
        pair = (account, place)
        of_account: _Key = ("known", *pair) if self._knows(pair, now) else ("account", account)
        of_address: _Key = ("address", place)
        windows = {
            of_account: self._window(of_account, self._per_account),
            of_address: self._window(of_address, self._per_address),
        }
        wait = windows[of_account].wait(now, self._length)
        if of_account[0] == "account":
            wait = max(wait, windows[of_address].wait(now, self._length))
        if wait:
            seconds = -(-wait // 1_000)
            raise RateLimited(f"Too many log-ins failed; try again in {seconds} s", retry_after=seconds)
        for key, window in windows.items():
            window.count(now)
            self._windows[key] = window
            self._windows.move_to_end(key)
        self._forget(now)
        return Attempt(self, pair, windows, now)

    def decided(self, windows: dict[_Key, _Window], made: int, *, given_back: bool) -> None:
        for key, window in windows.items():
            window.decided(made, right=given_back)
            if not window.times and self._windows.get(key) is window:
                del self._windows[key]

    def _knows(self, pair: _Key, now: int) -> bool:
        since = self._known.get(pair)
        return since is not None and now - since < _KNOWN_MS

    def know(self, pair: _Key, now: int) -> None:
        """The account logged in from there."""
        self._known[pair] = now
        self._known.move_to_end(pair)
        if len(self._known) > self._most_known:
            self._known.popitem(last=False)

    def _window(self, key: _Key, bound: int) -> _Window:
        return self._windows.get(key) or _Window(bound)

    def _forget(self, now: int) -> None:
        """What is over, and above the bound what was longest untouched."""
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if len(self._windows) <= self._most and (window.pending or window.times[-1] > now - self._length):
                return
            del self._windows[key]
