"""A call as its pipeline sees the world outside: where facts, commands and sound go, and what time it is.

Hears from: `voice.pipeline`. Tells: `voice.worker`, which has the link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from telephony.commands import Command
from telephony.facts import Decision, Fact
from telephony.link_codec import FRAME_S

_STALE_S = 0.5


class CallPort(Protocol):
    """Everything is queued, nothing waits."""

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        """To be committed; takes effect when it comes back."""
        ...

    def command(self, command: Command) -> None: ...

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        """8 kHz 16-bit sound of a turn; ``sample`` = samples of it sent before."""
        ...


class CallClock:
    """Call time between two ticks: the last tick heard plus the time since it arrived."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tick_s = 0.0
        self._at = monotonic()

    def heard(self, tick: int) -> None:
        """Caller sound of a tick has arrived: call time is at its end."""
        self._tick_s = max(self._tick_s, (tick + 1) * FRAME_S)
        self._at = self._monotonic()

    def reached(self, t: float) -> None:
        """A fact of call time ``t`` has arrived."""
        if t > self.now_s():
            self._tick_s, self._at = t, self._monotonic()

    def now_s(self) -> float:
        # A stopped tick stream is a stopped call: time must not run far ahead of it.
        return self._tick_s + min(self._monotonic() - self._at, _STALE_S)
