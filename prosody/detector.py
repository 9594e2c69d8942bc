"""Is this voice in distress by now? A sequential decision over scored windows: calm or attend.

Hears from: emotion. Tells: the worker's fusion of voice, words and dialogue, which alone may say ``distress``.

CUSUM (E. Page, Biometrika 41, 1954): evidence adds up, calm windows take it back, and what no window says changes
nothing. Pure: no clock; call time comes with the windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

_FAR_RUN = 2
"""So many windows in a row must be far past the threshold: one shout is not a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorParameters:
    """Chosen on development speakers; stored in ``model.yaml``.

    Attributes:
        prior: Share of distress where the probabilities were calibrated; its odds are taken out of each window's.
        drift: Evidence taken off per window [nat].
        clip: Most evidence one window may give, either way [nat].
        threshold: Statistic from which the voice says ``attend`` [nat].
        decay: Factor per second of call time without a scored window, once `quiet_s` has passed.
        quiet_s: Silence that leaves the evidence untouched [s].
        far_factor: Times the threshold that count as far past it.
        ceiling_factor: Times the threshold at which evidence stops adding up, so that calm can return.
    """

    prior: float = 0.4
    drift: float = 0.7
    clip: float = 3.0
    threshold: float = 4.0
    decay: float = 0.98
    quiet_s: float = 3.0
    far_factor: float = 2.0
    ceiling_factor: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceState:
    """Attributes:
    level: What the voice alone may say.
    statistic, threshold: Evidence gathered and needed [nat].
    far_past: The statistic was past ``far_factor`` times the threshold for two windows running.
    windows: (start [s], end [s], log-likelihood ratio [nat]) of the windows since evidence began to rise.
    """

    level: Literal["calm", "attend"]
    statistic: float
    threshold: float
    far_past: bool
    windows: tuple[tuple[float, float, float], ...]


def log_likelihood_ratio(p_distress: float, prior: float, clip: float) -> float:
    """Evidence of one window [nat]: its odds over the prior's, clipped to ``+-clip``."""
    p = min(max(p_distress, 1e-6), 1.0 - 1e-6)
    ratio = math.log(p / (1.0 - p)) - math.log(prior / (1.0 - prior))
    return min(max(ratio, -clip), clip)


@dataclass(slots=True)
class VoiceDetector:
    """One caller's detector."""

    parameters: DetectorParameters
    _statistic: float = 0.0
    _far: int = 0
    _last_end: float | None = None
    _windows: list[tuple[float, float, float]] = field(default_factory=list)

    def receive(self, *, start: float, end: float, p_distress: float | None, arousal: float | None) -> VoiceState:
        """Takes one scored window; ``None``: abstained, which changes nothing. Unknown is never calm.

        Args:
            start: Call time [s] of the window's first sample.
            end: Call time [s] of its last.
            p_distress: Calibrated probability.
            arousal: Calibrated, 0..1; kept for the reasons shown, not part of the statistic.
        """
        if p_distress is None:
            return self.state
        p = self.parameters
        if self._last_end is not None:
            silence = max(start - self._last_end - p.quiet_s, 0.0)
            self._statistic *= p.decay**silence
        self._last_end = end
        ratio = log_likelihood_ratio(p_distress, p.prior, p.clip)
        self._statistic = min(max(self._statistic + ratio - p.drift, 0.0), p.threshold * p.ceiling_factor)
        if self._statistic > 0.0:
            self._windows.append((start, end, ratio))
        else:
            self._windows.clear()
        self._far = self._far + 1 if self._statistic >= p.threshold * p.far_factor else 0
        return self.state

    @property
    def state(self) -> VoiceState:
        p = self.parameters
        return VoiceState(
            level="attend" if self._statistic >= p.threshold else "calm",
            statistic=self._statistic,
            threshold=p.threshold,
            far_past=self._far >= _FAR_RUN,
            windows=tuple(self._windows),
        )
