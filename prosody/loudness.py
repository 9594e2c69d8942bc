"""Level over time: within the window, and of the window against the call's own start.

Hears from: `prosody.samples`. Tells: features, emotion.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

REFERENCE_WINDOWS = 8
"""Windows of the call's start that set the loudness reference: about 9 s of speech."""


def active_level_db(levels_db: NDArray[np.float64]) -> float | None:
    """Level of the louder half of the frames [dB re full scale]: the voice without its pauses."""
    if not levels_db.size:
        return None
    loud = levels_db[levels_db >= np.median(levels_db)]
    return float(10.0 * np.log10(np.mean(10.0 ** (loud / 10.0))))


@dataclass(slots=True, kw_only=True)
class CallReference:
    """What loudness is compared with: the call's own first windows.

    Display only, never an input of the model: a caller upset from the first word would become his own baseline
    (normalising by the caller's mean took a distress AUC from 0.92 to 0.51).
    """

    levels_db: deque[float] = field(default_factory=lambda: deque(maxlen=REFERENCE_WINDOWS))

    def relative_db(self, level_db: float) -> float:
        """Level against the median of the call's first windows [dB]; this window joins them while they are few."""
        if len(self.levels_db) < REFERENCE_WINDOWS:
            self.levels_db.append(level_db)
        return level_db - float(np.median(list(self.levels_db)))
