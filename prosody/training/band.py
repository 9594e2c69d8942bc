"""How far a calibrated probability may be off: the calibration fitted again on speakers drawn again.

What it says: had we recorded other speakers of the same kind, this share of distress might have been stated for such a
voice. What it doesn't: how other callers differ from these speakers (`prosody.evaluation` has that), nor how far one
window may lie from its kind.

Hears from: logits of speakers a model has not seen. Tells: ``calibration.distress_band`` of ``model.yaml``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from prosody.training.fit import Platt, fit_platt

GRID = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
DRAWS = 200

Refit = Callable[[NDArray[np.floating], NDArray[np.number]], Platt]


def calibration_band(
    platt: Platt,
    logits: NDArray[np.floating],
    target: NDArray[np.number],
    groups: NDArray[np.generic],
    seed: int,
    refit: Refit = fit_platt,
) -> list[list[float]]:
    """Rows ``[p, low, high]``: 95 % interval of the probability at each p of `GRID`.

    Args:
        platt: The calibration that is shipped.
        logits: ``[n]``, of windows or snippets its model has not seen.
        target: ``[n]``, 0 or 1.
        groups: ``[n]``, who must be drawn together: the speaker of a window.
        seed: Of the draws.
        refit: How the calibration was fitted.
    """
    rng = np.random.default_rng(seed)
    grid = np.asarray(GRID)
    at = (np.log(grid / (1.0 - grid)) - platt.offset) / platt.slope
    names = np.unique(groups)
    rows = [np.flatnonzero(groups == name) for name in names]
    drawn = []
    for _ in range(DRAWS):
        chosen = np.concatenate([rows[i] for i in rng.integers(0, len(names), len(names))])
        if len(np.unique(target[chosen])) == 2:
            drawn.append(refit(logits[chosen], target[chosen]).probability(at))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [
        [float(p), round(min(float(a), float(p)), 4), round(max(float(b), float(p)), 4)]
        for p, a, b in zip(grid, low, high, strict=True)
    ]
