"""Fitting: three linear heads on weighted windows, and the scores of speakers a model has not seen.

Hears from: table. Tells: the shipped models, evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from prosody.training.corpora import CLASSES
from prosody.training.network import CLIP, Network, standardisation
from prosody.training.table import Table, folds, weights

REGULARISATION = 0.001
"""scikit-learn's C on standardised inputs; across corpora less freedom is better, within them more."""
FOLDS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Platt:
    """Probability = sigmoid(slope * logit + offset). ``prior``: share of positives it was fitted on."""

    slope: float
    offset: float
    prior: float = 0.5

    def probability(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.slope * logits + self.offset, -30.0, 30.0))), np.float64)


def fit(table: Table, seed: int = 0) -> Network:
    """Fits all heads on every window of ``table``."""
    from sklearn.linear_model import LogisticRegression

    weight = weights(table)
    mean, scale = standardisation(table.inputs, weight)
    filled = np.where(np.isnan(table.inputs), mean, table.inputs)
    ready = np.clip((filled - mean) / scale, -CLIP, CLIP)

    def head(
        mask: NDArray[np.bool_], target: NDArray[np.generic], w: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        model = LogisticRegression(C=REGULARISATION, max_iter=500, tol=1e-4, random_state=seed)
        model.fit(ready[mask], target[mask], sample_weight=w[mask])
        return model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)

    labelled = table.distress >= 0
    distress = head(labelled, table.distress, weight)
    clear = np.isin(table.arousal, (0.0, 1.0))
    arousal = head(clear, (table.arousal > 0.5).astype(np.intp), weight)
    classes = head(table.five >= 0, table.five, weight)
    heads = (distress, arousal, classes)
    layer = (np.concatenate([h[0] for h in heads], axis=1), np.concatenate([h[1] for h in heads]))
    return Network(mean=mean, scale=scale, members=((layer,),))


def unseen_speakers(table: Table, seed: int = 0) -> NDArray[np.float32]:
    """Logits ``[n, 7]`` of each window from a model that saw nothing of its speaker (NaN for augmented windows)."""
    return _held_out(table, folds(table, FOLDS), seed)


def unseen_corpora(table: Table, seed: int = 0) -> NDArray[np.float32]:
    """Logits ``[n, 7]`` of each window from a model that saw nothing of its corpus (NaN for augmented windows)."""
    names = sorted(set(table.corpus.tolist()))
    return _held_out(table, np.asarray([names.index(c) for c in table.corpus.tolist()], np.intp), seed)


def _held_out(table: Table, group: NDArray[np.intp], seed: int) -> NDArray[np.float32]:
    logits = np.full((len(table), 2 + len(CLASSES)), np.nan, np.float32)
    for held in range(int(group.max()) + 1):
        test = (group == held) & table.matched
        network = fit(table.where(group != held), seed)
        logits[test] = network.logits(table.inputs[test])
    return logits


def fit_platt(
    logits: NDArray[np.floating], target: NDArray[np.number], weight: NDArray[np.float64] | None = None
) -> Platt:
    """Platt scaling by maximum likelihood, slope kept positive, a weak pull to slope 1 for few labels."""
    w = np.ones(len(target)) if weight is None else weight

    def loss(theta: NDArray[np.float64]) -> float:
        z = np.exp(theta[0]) * logits + theta[1]
        return float(np.sum(w * (np.logaddexp(0.0, z) - target * z)) + 0.5 * theta[0] ** 2)

    found = minimize(loss, np.zeros(2), method="BFGS")
    return Platt(slope=float(np.exp(found.x[0])), offset=float(found.x[1]), prior=float(np.average(target, weights=w)))


def fit_temperature(logits: NDArray[np.floating], target: NDArray[np.intp]) -> float:
    """Temperature of the five classes by maximum likelihood."""

    def loss(theta: NDArray[np.float64]) -> float:
        z = logits / np.exp(theta[0])
        return float(
            np.mean(np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) - (z - z.max(1, keepdims=True))[rows, target])
        )

    rows = np.arange(len(target))
    return float(np.exp(minimize(loss, np.zeros(1), method="BFGS").x[0]))
