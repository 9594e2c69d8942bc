"""Scores of clips: the mean of their windows, beside what is known of them.

Hears from: training's tables. Tells: the evaluation's rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.training.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTable:
    """One row per clip, scores averaged over its windows; the columns of `Table`.

    Attributes:
        logits: ``[n, 7]``.
        answered: The ear would score at least one of the clip's windows.
    """

    table: Table
    logits: NDArray[np.float32]
    answered: NDArray[np.bool_]


def by_clip(table: Table, logits: NDArray[np.float32]) -> ClipTable:
    """Averages the windows of each clip."""
    _, first, inverse = np.unique(table.clip, return_index=True, return_inverse=True)
    count = np.bincount(inverse)
    mean = np.stack([np.bincount(inverse, column) / count for column in logits.T], axis=1)
    answered = np.bincount(inverse, ~table.abstained) > 0
    mask = np.zeros(len(table), bool)
    mask[first] = True
    order = np.argsort(np.argsort(first))
    rows = np.empty_like(first)
    rows[order] = np.arange(len(first))
    return ClipTable(table=table.where(mask), logits=mean[rows].astype(np.float32), answered=answered[rows])
