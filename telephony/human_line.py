"""The calls of this process in line for its humans, and who is told that a human is free.

Hears from: calls, call backs. Tells: the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from telephony.waiting_line import Rank, WaitingLine


class Waiter(Protocol):
    """Somebody in line."""

    @property
    def id(self) -> str: ...

    def human_is_free(self, target: str) -> None:
        """``target`` is theirs until they `HumanLine.free` it."""
        ...

    def place_is(self, place: int) -> None:
        """Their place in line is, or is now, this one; 1 = next. 0: none of their humans is there at all."""
        ...


class HumanLine:
    """``absent``: humans who are not to be rung whoever asks. ``clock``: [s], monotonic."""

    def __init__(
        self, absent: Callable[[], Collection[str]] = frozenset, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._absent, self._clock = absent, clock
        self._line = WaitingLine()
        self._waiters: dict[str, Waiter] = {}
        self._told: dict[str, int] = {}
        self._looking = False

    @property
    def taken(self) -> frozenset[str]:
        """Humans whom a call has."""
        return self._line.taken

    @property
    def waiting(self) -> int:
        """Callers in line."""
        return len(self._told)

    def ask(self, waiter: Waiter, targets: Iterable[str], rank: Rank) -> None:
        """Answered at once, by `Waiter.human_is_free` or `Waiter.place_is`."""
        self._waiters[waiter.id] = waiter
        self._told.pop(waiter.id, None)
        self._line.ask(waiter.id, targets, rank, self._clock())
        self.look()

    def rise(self, waiter: Waiter, rank: Rank) -> None:
        """The caller may have become more urgent; whose place this changes is told."""
        if self._line.rise(waiter.id, rank):
            self.look()

    def free(self, waiter: Waiter) -> None:
        self._line.free(waiter.id)
        self.look()

    def leave(self, waiter: Waiter) -> None:
        self._line.leave(waiter.id)
        self._waiters.pop(waiter.id, None)
        self._told.pop(waiter.id, None)
        self.look()

    def look(self) -> None:
        """Gives every free human to the next in line; also to be called when a human is back."""
        if self._looking:
            return
        self._looking = True
        try:
            while (granted := self._line.grant(self._absent())) is not None:
                key, target = granted
                self._told.pop(key, None)
                self._waiters[key].human_is_free(target)
            for waiting in self._line.waiting:
                gone = set(waiting.targets) <= set(self._absent())
                place = 0 if gone else self._line.place(waiting.key)
                if self._told.get(waiting.key) != place:
                    self._told[waiting.key] = place
                    self._waiters[waiting.key].place_is(place)
        finally:
            self._looking = False
