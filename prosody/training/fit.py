"""Fitting: linear heads and small networks on weighted windows; the scores of speakers a model has not seen.

Hears from: table. Tells: the shipped models, evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize

from prosody.training.corpora import CLASSES
from prosody.training.mlp import Layer, Settings, Targets, principal_axes, train_mlp
from prosody.training.network import CLIP, Network, standardisation
from prosody.training.table import Table, folds, weights

FREEDOM = {"distress": 0.0003, "arousal": 0.0003, "classes": 0.002}
"""scikit-learn's C on standardised inputs: less freedom hears strangers better, more tells five classes better."""
LINEAR_SHARE = 0.5
"""Share of the linear heads in the mean: they hold across languages, the networks tell joy from distress."""
MEMBERS = 4
AXES = 512
"""Principal axes kept of 2,363 inputs: the same figures as with all of them, at a third of the time."""
REFIT_PULL_SLOPE = 5.0
REFIT_PULL_OFFSET = 2.0
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
    """Fits linear heads and small networks on the principal axes of every window of ``table`` and averages them."""
    weight = weights(table)
    mean, scale = standardisation(table.inputs, weight)
    filled = np.where(np.isnan(table.inputs), mean, table.inputs)
    standard = np.asarray(np.clip((filled - mean) / scale, -CLIP, CLIP), np.float32)
    axes = leading_axes(standard, weight, AXES)
    ready = standard @ axes
    linear = _linear(ready, table, weight, seed)
    known = (table.distress >= 0) & ~np.isnan(table.arousal)
    targets = Targets(
        distress=table.distress[known].astype(np.float32),
        arousal=table.arousal[known].astype(np.float32),
        five=table.five[known],
    )
    settings = Settings()
    projection = principal_axes(ready[known], weight[known], settings)
    deep = [
        train_mlp(ready[known], targets, weight[known], projection, settings, seed * 100 + k) for k in range(MEMBERS)
    ]
    # Both kinds speak equally loud: the linear logits are stretched to the spread of the networks'.
    spoken = np.mean([np.maximum(ready @ a[0] + a[1], 0.0) @ b[0] + b[1] for a, b in deep], axis=0)
    stretch = spoken.std(axis=0) / np.maximum((ready @ linear[0] + linear[1]).std(axis=0), 1e-6)
    total = MEMBERS + 1
    share = np.float32((1.0 - LINEAR_SHARE) * total / MEMBERS)
    plain = (linear[0] * (stretch * LINEAR_SHARE * total), linear[1] * (stretch * LINEAR_SHARE * total))
    members = ((_on(axes, plain),), *((_on(axes, a), (b[0] * share, b[1] * share)) for a, b in deep))
    return Network(mean=mean, scale=scale, members=members)


def leading_axes(inputs: NDArray[np.float32], weight: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    """The ``count`` first principal axes ``[inputs, count]``, orthonormal, strongest first."""
    share = (weight / weight.sum()).astype(np.float32)
    width = inputs.shape[1]
    first = max(width - count, 0)
    _, vectors = eigh((inputs * share[:, None]).T @ inputs, subset_by_index=[first, width - 1])
    return np.asarray(vectors[:, ::-1], np.float32)


def _on(axes: NDArray[np.float32], layer: tuple[NDArray[np.floating], NDArray[np.floating]]) -> Layer:
    """A layer on the axes as one on the standardised inputs: what ships has no axes of its own."""
    return np.asarray(axes @ layer[0], np.float32), np.asarray(layer[1], np.float32)


def _linear(ready: NDArray[np.float32], table: Table, weight: NDArray[np.float64], seed: int) -> Layer:
    """Logistic regression for each head, as one layer ``[axes, 7]``."""
    from sklearn.linear_model import LogisticRegression

    def head(name: str, mask: NDArray[np.bool_], target: NDArray[np.generic]) -> Layer:
        model = LogisticRegression(C=FREEDOM[name], max_iter=500, tol=1e-4, random_state=seed)
        model.fit(ready[mask], target[mask], sample_weight=weight[mask])
        return model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)

    clear = np.isin(table.arousal, (0.0, 1.0))
    heads = (
        head("distress", table.distress >= 0, table.distress),
        head("arousal", clear, (table.arousal > 0.5).astype(np.intp)),
        head("classes", table.five >= 0, table.five),
    )
    return np.concatenate([h[0] for h in heads], axis=1), np.concatenate([h[1] for h in heads])


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Models that each left one group of rows out.

    Attributes:
        group: Key of a row (a speaker or a corpus) to the index of the model that has not seen it.
    """

    networks: tuple[Network, ...]
    group: dict[str, int]

    def logits(self, inputs: NDArray[np.float32], keys: NDArray[np.str_]) -> NDArray[np.float32]:
        """Logits ``[n, 7]``, each row from the model that saw nothing of its key."""
        which = np.asarray([self.group[k] for k in keys.tolist()], np.intp)
        out = np.full((len(inputs), 2 + len(CLASSES)), np.nan, np.float32)
        for index, network in enumerate(self.networks):
            rows = which == index
            if rows.any():
                out[rows] = network.logits(inputs[rows])
        return out


def leave_speakers_out(table: Table, seed: int = 0) -> Held:
    """Seven models; each speaker is unknown to one."""
    fold = folds(table, FOLDS)
    group = dict(zip(table.speaker.tolist(), fold.tolist(), strict=True))
    return Held(networks=tuple(fit(table.where(fold != k), seed) for k in range(int(fold.max()) + 1)), group=group)


def leave_corpora_out(table: Table, seed: int = 0) -> Held:
    """One model per corpus that has seen only the others."""
    names = sorted(set(table.corpus.tolist()))
    networks = tuple(fit(table.where(table.corpus != name), seed) for name in names)
    return Held(networks=networks, group={name: i for i, name in enumerate(names)})


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


def refit_platt(base: Platt, logits: NDArray[np.floating], target: NDArray[np.number]) -> Platt:
    """Platt scaling from few labels: a correction of ``base``, held near it.

    Normal priors of 0.45 on the logarithm of the slope and 0.7 on the offset. With 60 labels of a corpus left out
    (speakers of train and dev) they left a calibration error of 0.037; without that on the offset 0.041, with twice
    its pull 0.035. It stays weak all the same: acted corpora have alike shares of distress, deployments have not.
    """
    z = base.slope * logits + base.offset

    def loss(theta: NDArray[np.float64]) -> float:
        moved = np.exp(theta[0]) * z + theta[1]
        pull = REFIT_PULL_SLOPE * theta[0] ** 2 + REFIT_PULL_OFFSET * theta[1] ** 2
        return float(np.sum(np.logaddexp(0.0, moved) - target * moved) + 0.5 * pull)

    found = minimize(loss, np.zeros(2), method="BFGS").x
    slope = float(np.exp(found[0]))
    return Platt(slope=slope * base.slope, offset=slope * base.offset + float(found[1]), prior=float(np.mean(target)))


def fit_temperature(logits: NDArray[np.floating], target: NDArray[np.intp]) -> float:
    """Temperature of the five classes by maximum likelihood."""

    def loss(theta: NDArray[np.float64]) -> float:
        z = logits / np.exp(theta[0])
        return float(
            np.mean(np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) - (z - z.max(1, keepdims=True))[rows, target])
        )

    rows = np.arange(len(target))
    return float(np.exp(minimize(loss, np.zeros(1), method="BFGS").x[0]))
