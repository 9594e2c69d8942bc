"""How fast the agent speaks and how long it waits for the caller. Pure.

Numbers: contact-centre design values (base rate, calm band, entrainment step, patience). Callers follow a system's
rate up and down turn by turn; that a slower voice calms anybody is not shown, so the step stays small.
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
STEP = 0.04
"""Largest change from one turn to the next."""
SYLLABLES_PER_WORD = 1.4
"""Of conversational English: turns the measured syllable rate into words."""
UPSET_PATIENCE = 1.5
Expected = Literal["digits", "name", "address", "amount", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What endpointing should expect. ``factor`` multiplies the wait at the end of a turn."""

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

    def heard(self, rate_syl_s: float | None) -> None:
        """A measured window of the caller's speech [syllables/s]; smoothed over about four windows."""
        if rate_syl_s is None or rate_syl_s <= 0:
            return
        wpm = rate_syl_s * 60 / SYLLABLES_PER_WORD
        self.caller_wpm = wpm if self.caller_wpm is None else self.caller_wpm + (wpm - self.caller_wpm) / 4

    def turn(self, level: Level) -> float:
        """Rate for a new turn of the agent, at most one step from the last, but at once slower for an upset caller."""
        entering = level != "calm" and self.level == "calm"
        self.level = level
        if entering:
            self.rate_wpm = max(FLOOR_WPM, min(self.rate_wpm, BASE_WPM * CALM_FIRST))
            return round(self.rate_wpm, 1)
        target = self._target(level)
        low, high = self.rate_wpm * (1 - STEP), self.rate_wpm * (1 + STEP)
        self.rate_wpm = min(max(target, low), high)
        return round(self.rate_wpm, 1)

    def _target(self, level: Level) -> float:
        if level != "calm":
            return max(FLOOR_WPM, BASE_WPM * CALM_LAST)
        if self.caller_wpm is None:
            return min(max(self.preferred_wpm, FLOOR_WPM), CEILING_WPM)
        return min(max(self.caller_wpm, FLOOR_WPM), CEILING_WPM)


def patience(
    level: Level, expects: Expected | None = None, digits: int | None = None, *, base: float = 1.0
) -> Patience:
    """An upset caller gets half as long again before the agent takes the turn. ``base``: the operator's own factor."""
    upset = level != "calm"
    return Patience(expects=expects, digits=digits, factor=base * (UPSET_PATIENCE if upset else 1.0), upset=upset)
