"""Figures of merit, with intervals by drawing speakers again.

Hears from: scores and labels. Tells: figures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def auc(scores: NDArray[np.floating], target: Ints) -> float:
    """Area under the ROC curve; NaN if one side is empty."""
    positive = target == 1
    up, down = int(positive.sum()), int((~positive).sum())
    if not up or not down:
        return float("nan")
    return float((rankdata(scores)[positive].sum() - up * (up + 1) / 2) / (up * down))


def uar(predicted: Ints, target: Ints) -> float:
    """Unweighted average recall over the classes that occur."""
    return (
        float(np.mean([np.mean(predicted[target == c] == c) for c in np.unique(target)]))
        if len(target)
        else float("nan")
    )


def ece(probability: Floats, target: Ints, bins: int = 10) -> float:
    """Expected calibration error, plain: mean absolute gap over bins of equal mass."""
    return float(sum(abs(gap) * share for gap, _, share in _bins(probability, target, bins)))


def ece_debiased(probability: Floats, target: Ints, bins: int = 10) -> float:
    """`ece` without what chance alone puts into small bins: each squared gap less its variance, never below 0.

    After A. Kumar, P. Liang and T. Ma, NeurIPS 2019, whose estimator is for the l2 form; the root is taken bin by bin.
    """
    return float(
        sum(np.sqrt(max(gap * gap - noise, 0.0)) * share for gap, noise, share in _bins(probability, target, bins))
    )


def _bins(probability: Floats, target: Ints, bins: int) -> list[tuple[float, float, float]]:
    """(gap, variance of the observed share, share of the data) per bin of equal mass."""
    order = np.argsort(probability, kind="stable")
    out = []
    for part in np.array_split(order, min(bins, max(len(order) // 2, 1))):
        if len(part) < 2:
            continue
        seen = float(target[part].mean())
        noise = seen * (1.0 - seen) / (len(part) - 1)
        out.append((float(probability[part].mean()) - seen, noise, len(part) / len(order)))
    return out


def reliability(probability: Floats, target: Ints, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean probability, observed share, n) per bin of equal mass: the reliability curve."""
    order = np.argsort(probability, kind="stable")
    return [
        (float(probability[part].mean()), float(target[part].mean()), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def tpr_at_fpr(scores: NDArray[np.floating], target: Ints, fpr: float = 0.05) -> tuple[float, float]:
    """(threshold, true positive rate) at a false positive rate."""
    threshold = float(np.quantile(scores[target == 0], 1.0 - fpr))
    return threshold, float(np.mean(scores[target == 1] > threshold))


def speaker_interval(
    measure: Callable[[NDArray[np.intp]], float], speakers: NDArray[np.str_], seed: int, draws: int = 300
) -> tuple[float, float]:
    """95 % interval of ``measure(row indices)`` when whole speakers are drawn again with replacement."""
    rng = np.random.default_rng(seed)
    names = np.unique(speakers)
    rows = {name: np.flatnonzero(speakers == name) for name in names}
    values = []
    for _ in range(draws):
        drawn = rng.choice(names, len(names))
        value = measure(np.concatenate([rows[name] for name in drawn]))
        if np.isfinite(value):
            values.append(value)
    if not values:
        return float("nan"), float("nan")
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
