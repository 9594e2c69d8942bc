"""How far raters agree, beyond chance: Krippendorff's α with its interval, the ear as one rater among people.

α = 1 - D_o / D_e over all pairs of ratings of the same unit (K. Krippendorff, "Computing Krippendorff's
Alpha-Reliability", 2011). Ratings may be missing. The interval is a percentile bootstrap over units.

Hears from: `voice.store.reviews`. Tells: `voice.qa.insight`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voice.store.calls import Json

DRAWS = 1000
SEED = 20_111
LEVELS = {"calm": 0, "attend": 1, "distress": 2}
VERDICTS = {"bad": 0, "mixed": 1, "good": 2}
EAR = "the ear"

Ratings = npt.NDArray[np.float64]
"""Shape (raters, units); NaN = not rated. Values are ranks."""
Metric = Callable[[Ratings, Ratings], Ratings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """``None`` where there is nothing to compare: fewer than two units rated twice, or no variation at all."""

    question: str
    raters: int
    units: int
    alpha: float | None
    low: float | None
    high: float | None


def alpha(ratings: Ratings, *, ordinal: bool = True) -> float | None:
    """Krippendorff's α of ``ratings``; ordinal metric, or nominal."""
    units = ratings[:, (~np.isnan(ratings)).sum(axis=0) >= 2]
    if units.size == 0:
        return None
    values = np.unique(units[~np.isnan(units)])
    coincidences = _coincidences(units, values)
    marginal = coincidences.sum(axis=0)
    total = marginal.sum()
    distance = _ordinal(marginal) if ordinal else 1.0 - np.eye(len(values))
    expected = float((np.outer(marginal, marginal) * distance).sum() / (total - 1))
    if expected == 0:
        return None
    return 1.0 - float((coincidences * distance).sum()) / expected


def interval(ratings: Ratings) -> tuple[float | None, float | None]:
    """95 % percentile bootstrap over units."""
    units = ratings[:, (~np.isnan(ratings)).sum(axis=0) >= 2]
    if units.shape[1] < 2:
        return None, None
    rng = np.random.default_rng(SEED)
    draws = (alpha(units[:, rng.integers(0, units.shape[1], units.shape[1])]) for _ in range(DRAWS))
    found = [a for a in draws if a is not None]
    if len(found) < DRAWS / 2:
        return None, None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def of_reviews(reviews: Sequence[Json], ear_levels: dict[str, str], questions: Mapping[str, str]) -> list[Agreement]:
    """Per question over all reviewed calls. ``reviews``: any order; each rater's newest version of a call counts.

    Args:
        reviews: As `voice.store.reviews` stores them.
        ear_levels: Peak level by call id as the system decided it.
        questions: Wording by key, of every form.
    """
    newest: dict[tuple[str, str], Json] = {}
    for r in sorted(reviews, key=lambda r: int(r["version"])):
        newest[(str(r["reviewer"]), str(r["call_id"]))] = r
    levels = {k: LEVELS[r["level"]] for k, r in newest.items() if r["level"] in LEVELS}
    rated = {call for _, call in newest}
    with_ear = levels | {(EAR, c): LEVELS[x] for c, x in ear_levels.items() if c in rated and x in LEVELS}
    out = [
        _measured("Peak distress, people only", levels),
        _measured("Peak distress, the ear as one more rater", with_ear),
        _measured("The call went", {k: VERDICTS[r["verdict"]] for k, r in newest.items() if r["verdict"] in VERDICTS}),
    ]
    for key, text in questions.items():
        out.append(_measured(text, {k: r["answers"][key] for k, r in newest.items() if key in r["answers"]}))
    return out


def _measured(question: str, given: dict[tuple[str, str], int]) -> Agreement:
    raters, units = sorted({k[0] for k in given}), sorted({k[1] for k in given})
    table = np.full((len(raters), len(units)), np.nan)
    for (rater, unit), value in given.items():
        table[raters.index(rater), units.index(unit)] = value
    twice = int(((~np.isnan(table)).sum(axis=0) >= 2).sum()) if table.size else 0
    low, high = interval(table) if table.size else (None, None)
    return Agreement(
        question=question,
        raters=len(raters),
        units=twice,
        alpha=alpha(table) if table.size else None,
        low=low,
        high=high,
    )


def _coincidences(units: Ratings, values: Ratings) -> Ratings:
    """Coincidence matrix: each unit's ordered pairs of ratings, weighted by 1 / (its ratings - 1)."""
    out = np.zeros((len(values), len(values)))
    for unit in units.T:
        counts = (unit[~np.isnan(unit)][:, None] == values).sum(axis=0).astype(float)
        out += (np.outer(counts, counts) - np.diag(counts)) / (counts.sum() - 1)
    return out


def _ordinal(marginal: Ratings) -> Ratings:
    """Squared distance of ranks: how many ratings lie between two values, their own counted half."""
    below = np.concatenate([[0.0], np.cumsum(marginal)])
    middle = (below[:-1] + below[1:]) / 2
    squared: Ratings = (middle[:, None] - middle[None, :]) ** 2
    return squared
