"""Evens out what a voice does by chance: the level of its sentences, and how long it is silent inside one. Pure.

A sentence is heard while it is made, so its level is known only as far as it has come: what was spoken so far is set
against `TARGET_DB`, and trusted the more the longer it is. Pauses are cut, never made.

Hears from: synthesis, samples of one piece, chunk by chunk. Tells: synthesis, the same, evened.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.engines.levels import RATE_HZ, TARGET_DB

MOST_DB = 4.0
"""No sentence is turned up or down by more."""
TRUST_S = 0.25
"""Speech after which what was heard counts as much as what the voice usually does."""
LONGEST_PAUSE_S = 0.37
"""Inside a piece. The voice's own pause at a comma is 0.27 to 0.56 s; a clause's is 0.25 to 0.45 s (contact-centre
design values)."""
END_S = 0.08
"""Quiet kept behind the last sound: the voice leaves 0.16 to 0.5 s, by chance."""
QUIET_DB = -45.0
_FRAME = RATE_HZ // 100
_RAMP = RATE_HZ // 20


class Evener:
    """One piece of speech. ``gain``: of the voice in general, towards `TARGET_DB`."""

    def __init__(self, gain: float) -> None:
        self._gain, self._now = gain, gain
        self._power, self._spoken = 0.0, 0
        self._held: list[NDArray[np.float32]] = []
        """Quiet frames of which it is not known yet whether anything follows."""
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)

    def feed(self, samples: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        """Float32 samples at `RATE_HZ`, amplified. What is quiet at the end of a chunk comes with the next."""
        joined = np.concatenate([self._rest, samples])
        ready = np.pad(joined, (0, -len(joined) % _FRAME)) if last else joined[: len(joined) // _FRAME * _FRAME]
        self._rest = joined[len(ready) :]
        frames = ready.reshape(-1, _FRAME)
        power = np.mean((frames * np.float32(self._gain)).astype(np.float64) ** 2, axis=1)
        loud = power > 10 ** (QUIET_DB / 10)
        out = self._shortened((frames.reshape(-1) * self._ramp(ready.size)).reshape(-1, _FRAME), loud)
        self._power += float(power[loud].sum())
        self._spoken += int(loud.sum())
        if last:
            out += self._held[: round(END_S * 100)]
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    def _shortened(self, frames: NDArray[np.float32], loud: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
        """Frames up to the last loud one, no silence among them longer than `LONGEST_PAUSE_S`."""
        out: list[NDArray[np.float32]] = []
        for frame, speaks in zip(frames, loud, strict=True):
            self._held.append(frame)
            if speaks:
                *quiet, now = self._held
                out += [*quiet[: round(LONGEST_PAUSE_S * 100)], now]
                self._held = []
        return out

    def _ramp(self, n: int) -> NDArray[np.float32]:
        """Gain of the next ``n`` samples: from what it was to what the sentence so far asks for, over 50 ms."""
        wanted = self._gain * 10 ** (self._correction_db() / 20)
        steps = np.minimum(np.arange(1, n + 1) / _RAMP, 1.0)
        ramp = np.asarray(self._now + (wanted - self._now) * steps, np.float32)
        if n:
            self._now = float(ramp[-1])
        return ramp

    def _correction_db(self) -> float:
        spoken_s = self._spoken / 100
        if not spoken_s:
            return 0.0
        off_db = TARGET_DB - 10 * np.log10(self._power / self._spoken)
        return float(np.clip(off_db * spoken_s / (spoken_s + TRUST_S), -MOST_DB, MOST_DB))


def quiet_end_s(samples: NDArray[np.float32], rate_hz: int) -> float:
    """What is quiet behind the last sound of a piece [s]."""
    step = rate_hz // 100
    power = np.mean(samples[: len(samples) // step * step].reshape(-1, step) ** 2, axis=1)
    loud = np.flatnonzero(power > 10 ** (QUIET_DB / 10))
    return float(len(power) - 1 - loud[-1]) / 100 if len(loud) else 0.0
