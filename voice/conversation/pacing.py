"""How fast the agent speaks and how long it waits for the caller. Pure.

Numbers: contact-centre design values (base rate, calm band, entrainment, patience). A rate is that of speech that goes
on, every pause counted, the caller's as the agent's. Callers follow a system's rate up and down turn by turn; that a
slower voice calms anybody is not shown, so the step stays small.
Hears from: `telephony.messages.ProsodyMeasured` and the distress level. Tells: `voice.conversation.call`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telephony.facts import Level

BASE_WPM = 165.0
FLOOR_WPM = 145.0
"""Below this, listeners rate a voice less competent and word-stressed speech sounds angrier."""
CEILING_WPM = 180.0
CALM_FIRST = 0.92
CALM_LAST = 0.88
STEP_WPM = 5.0
"""Largest change from one turn to the next, once the agent speaks near its caller's rate: 3.4 % of the slowest. It is
the step of the voice too (`voice.engines.synthesis`), so what is heard never changes by more."""
_SMOOTHED, _KNOWN = 4, 3
"""Windows of the caller's speech averaged, and after how many their rate is known: one alone is off by 15 %."""
SYLLABLES_PER_WORD = 1.4
"""Of conversational English: turns the measured syllable rate into words."""
Expected = Literal["digits", "name", "address", "amount", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What endpointing should expect. ``factor`` multiplies the wait at the end of a turn; ``upset`` lengthens it."""

    expects: Expected | None
    digits: int | None
    factor: float
    upset: bool


@dataclass(slots=True)
class Pacer:
    """Speaking rate of the next turn [words/min]."""

    rate_wpm: float = BASE_WPM
    caller_wpm: float | None = None
    preferred_wpm: float = BASE_WPM
    """Before the caller has been measured: the pace an earlier call settled on."""
    level: Level = "calm"
    _windows: int = 0
    _near: bool = False

    def heard(self, rate_syl_s: float | None) -> None:
        """A measured window of the caller's speech [syllables/s]."""
        if rate_syl_s is None or rate_syl_s <= 0:
            return
        wpm = rate_syl_s * 60 / SYLLABLES_PER_WORD
        self._windows += 1
        last = wpm if self.caller_wpm is None else self.caller_wpm
        self.caller_wpm = last + (wpm - last) / min(self._windows, _SMOOTHED)

    def turn(self, level: Level) -> float:
        """Rate for a new turn of the agent, at most one step from the last.

        But at once near the caller's when that is first known, and at once slower for an upset caller.
        """
        entering = level != "calm" and self.level == "calm"
        self.level = level
        if entering:
            self.rate_wpm = max(FLOOR_WPM, min(self.rate_wpm, BASE_WPM * CALM_FIRST))
            return round(self.rate_wpm, 1)
        target = self._target(level)
        if level == "calm" and not self._near and self._known is not None:
            self._near, self.rate_wpm = True, target
        self.rate_wpm = min(max(target, self.rate_wpm - STEP_WPM), self.rate_wpm + STEP_WPM)
        return round(self.rate_wpm, 1)

    @property
    def _known(self) -> float | None:
        return self.caller_wpm if self._windows >= _KNOWN else None

    def _target(self, level: Level) -> float:
        if level != "calm":
            return max(FLOOR_WPM, BASE_WPM * CALM_LAST)
        wanted = self.preferred_wpm if self._known is None else self._known
        return min(max(wanted, FLOOR_WPM), CEILING_WPM)


def patience(
    level: Level, expects: Expected | None = None, digits: int | None = None, *, base: float = 1.0
) -> Patience:
    """An upset caller gets half as long again before the agent takes the turn. ``base``: the operator's own factor."""
    return Patience(expects=expects, digits=digits, factor=base, upset=level != "calm")
