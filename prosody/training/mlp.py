"""A small network with one hidden layer, trained with Adam in plain numpy.

Hears from: fit. Tells: network.

Its first layer carries the principal axes it was trained on, so what is shipped is two matrices. Cross-entropy of all
three heads at once; inputs are shaken and dropped, because 25 speakers invite learning them by heart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.training.corpora import CLASSES

Matrix = NDArray[np.float32]
Layer = tuple[Matrix, Matrix]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Attributes:
    distress, arousal: ``[n]`` 0..1.
    five: ``[n]`` index of the class, -1 where the label is none of the five.
    """

    distress: Matrix
    arousal: Matrix
    five: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Chosen by hand on left-out speakers; axes and number of networks, on those of train and dev only (decision 0025).

    Attributes:
        axes: Principal axes kept.
        shrink: Share of the first axis' variance added to each: small axes carry little but speaker and text.
        noise: Standard deviation of what is added to standardised inputs.
        most_steps: More copies of the same people are no reason to learn them for longer.
    """

    axes: int = 256
    shrink: float = 0.15
    hidden: int = 64
    epochs: int = 25
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-3
    drop: float = 0.3
    noise: float = 0.3
    most_steps: int = 1200


def principal_axes(inputs: Matrix, weights: NDArray[np.float64], settings: Settings) -> Matrix:
    """Projection ``[inputs, axes]`` to damped, decorrelated coordinates of mean variance 1."""
    share = (weights / weights.sum()).astype(np.float32)
    values, vectors = np.linalg.eigh((inputs * share[:, None]).T @ inputs)
    values, vectors = values[::-1][: settings.axes], vectors[:, ::-1][:, : settings.axes]
    projection = vectors / np.sqrt(values + settings.shrink * values[0])
    return np.asarray(projection / np.std(inputs @ projection), np.float32)


def train_mlp(
    inputs: Matrix, targets: Targets, weights: NDArray[np.float64], projection: Matrix, settings: Settings, seed: int
) -> tuple[Layer, Layer]:
    """Trains on standardised inputs ``[n, inputs]``; returns its two layers, outputs as `prosody.training.network`."""
    rng = np.random.default_rng(seed)
    x_all = inputs @ projection
    count, width = x_all.shape
    outputs = 2 + len(CLASSES)
    parameters = [
        (rng.standard_normal((width, settings.hidden)) * np.sqrt(2.0 / width)).astype(np.float32),
        np.zeros(settings.hidden, np.float32),
        (rng.standard_normal((settings.hidden, outputs)) * np.sqrt(1.0 / settings.hidden)).astype(np.float32),
        np.zeros(outputs, np.float32),
    ]
    adam = _Adam(parameters, settings.decay)
    probability = weights / weights.sum()
    steps = min(settings.epochs * (count // settings.batch), settings.most_steps)
    for step in range(steps):
        rows = rng.choice(count, settings.batch, p=probability)
        x = x_all[rows] + settings.noise * rng.standard_normal((len(rows), width)).astype(np.float32)
        x *= _mask(rng, x.shape, settings.drop / 2.0)
        before = x @ parameters[0] + parameters[1]
        mask = _mask(rng, before.shape, settings.drop)
        hidden = np.maximum(before, 0.0) * mask
        error = _error(hidden @ parameters[2] + parameters[3], targets, rows) / len(rows)
        back = (error @ parameters[2].T) * mask * (before > 0.0)
        gradients = [x.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)]
        adam.step(gradients, settings.rate * 0.5 * (1.0 + np.cos(np.pi * step / steps)))
    first = np.asarray(projection @ parameters[0], np.float32)
    return (first, parameters[1]), (parameters[2], parameters[3])


def _mask(rng: np.random.Generator, shape: tuple[int, ...], drop: float) -> Matrix:
    return ((rng.random(shape) > drop) / (1.0 - drop)).astype(np.float32)


def _error(outputs: Matrix, targets: Targets, rows: NDArray[np.intp]) -> Matrix:
    """Gradient of the three cross-entropies with respect to the outputs ``[n, 7]``; arousal counts half."""
    error = np.zeros_like(outputs)
    error[:, 0] = _sigmoid(outputs[:, 0]) - targets.distress[rows]
    error[:, 1] = 0.5 * (_sigmoid(outputs[:, 1]) - targets.arousal[rows])
    raised = np.exp(outputs[:, 2:] - outputs[:, 2:].max(axis=1, keepdims=True))
    share = raised / raised.sum(axis=1, keepdims=True)
    five = targets.five[rows]
    known = np.flatnonzero(five >= 0)
    share[known, five[known]] -= 1.0
    error[known, 2:] = share[known]
    return error


def _sigmoid(x: Matrix) -> Matrix:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0))), np.float32)


class _Adam:
    """D. Kingma and J. Ba, ICLR 2015, with decoupled weight decay on matrices."""

    def __init__(self, parameters: list[Matrix], decay: float) -> None:
        self._parameters = parameters
        self._decay = decay
        self._mean = [np.zeros_like(p) for p in parameters]
        self._square = [np.zeros_like(p) for p in parameters]
        self._count = 0

    def step(self, gradients: list[Matrix], rate: float) -> None:
        self._count += 1
        for k, (parameter, gradient) in enumerate(zip(self._parameters, gradients, strict=True)):
            self._mean[k] = 0.9 * self._mean[k] + 0.1 * gradient
            self._square[k] = 0.999 * self._square[k] + 0.001 * gradient**2
            mean = self._mean[k] / (1.0 - 0.9**self._count)
            square = self._square[k] / (1.0 - 0.999**self._count)
            pull = self._decay * parameter if parameter.ndim == 2 else 0.0
            parameter -= np.asarray(rate * (mean / (np.sqrt(square) + 1e-8) + pull), np.float32)
