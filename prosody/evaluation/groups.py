"""Whom the ear hears worse: the same measure for each sex, age, language and corpus, at one threshold for all.

Hears from: clip scores. Tells: the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.evaluation.clips import ClipScore
from prosody.evaluation.figure import Figure, figure
from prosody.evaluation.metrics import auc, ece_debiased, speaker_interval
from prosody.training.corpora import Clip

AGES = ((0, 30), (30, 50), (50, 120))
LEAST_CLIPS = 20
"""Fewer clips of either kind, and a group is not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Labelled clips the ear answered, as columns of equal length ``[n]``."""

    p: NDArray[np.float64]
    distress: NDArray[np.intp]
    speaker: NDArray[np.str_]
    sex: NDArray[np.str_]
    age: NDArray[np.str_]
    language: NDArray[np.str_]
    corpus: NDArray[np.str_]


def scored(clips: Sequence[Clip], scores: Sequence[ClipScore]) -> Scored:
    """Drops clips without a label and those the ear abstains from: a caller gets no score there either."""
    use = [(c, s) for c, s in zip(clips, scores, strict=True) if c.distress is not None and not s.abstained]
    return Scored(
        p=np.asarray([s.p_distress for _, s in use]),
        distress=np.asarray([c.distress for c, _ in use], np.intp),
        speaker=np.asarray([c.speaker for c, _ in use], np.str_),
        sex=np.asarray([c.sex for c, _ in use], np.str_),
        age=np.asarray([_band(c.age) for c, _ in use], np.str_),
        language=np.asarray([c.language for c, _ in use], np.str_),
        corpus=np.asarray([c.corpus for c, _ in use], np.str_),
    )


def figures(name: str, rows: Scored, seed: int) -> list[Figure]:
    """Per group: AUC, TPR and FPR at the threshold of 5 % FPR over everyone; and the widest gap of each.

    Every speaker counts the same in TPR and FPR, however many clips there are: otherwise one talkative man is "men".
    """
    threshold = _threshold(rows)
    out = []
    for kind in ("sex", "age", "language", "corpus"):
        column: NDArray[np.str_] = getattr(rows, kind)
        groups = [g for g in np.unique(column).tolist() if g and _enough(rows, column == g)]
        for group in groups:
            here = np.flatnonzero(column == group)
            for label, measure in _measures(rows, threshold).items():
                spread = speaker_interval(lambda i, m=measure, h=here: m(h[i]), rows.speaker[here], seed)  # type: ignore[misc]
                people = len(np.unique(rows.speaker[here]))
                out.append(figure(f"{name}/{label}_{kind}_{group}", measure(here), interval=spread, n=people))
        if len(groups) > 1:
            out += _gaps(name, kind, rows, column, groups, threshold, seed)
    return out


def _measures(rows: Scored, threshold: float) -> dict[str, Callable[[NDArray[np.intp]], float]]:
    def share(index: NDArray[np.intp], kind: int) -> float:
        mine = index[rows.distress[index] == kind]
        _, of = np.unique(rows.speaker[mine], return_inverse=True)
        over = np.bincount(of, rows.p[mine] > threshold) / np.bincount(of)
        return float(over.mean()) if mine.size else float("nan")

    return {
        "auc": lambda i: auc(rows.p[i], rows.distress[i]),
        "tpr": lambda i: share(i, 1),
        "fpr": lambda i: share(i, 0),
        "ece": lambda i: ece_debiased(rows.p[i], rows.distress[i]),
    }


def _threshold(rows: Scored, fpr: float = 0.05) -> float:
    """The probability that a share ``fpr`` of calm clips passes, every speaker weighing the same."""
    calm = np.flatnonzero(rows.distress == 0)
    order = calm[np.argsort(-rows.p[calm])]
    _, of, count = np.unique(rows.speaker[order], return_inverse=True, return_counts=True)
    passed = np.cumsum(1.0 / count[of]) / len(count)
    return float(rows.p[order[int(np.argmax(passed >= fpr))]])


def _gaps(
    name: str, kind: str, rows: Scored, column: NDArray[np.str_], groups: list[str], threshold: float, seed: int
) -> list[Figure]:
    """Largest difference between two groups, speakers drawn again."""
    out = []
    for label in ("tpr", "fpr"):
        measure = _measures(rows, threshold)[label]

        def gap(index: NDArray[np.intp], m: Callable[[NDArray[np.intp]], float] = measure) -> float:
            values = [m(index[column[index] == g]) for g in groups]
            return max(values) - min(values) if np.isfinite(values).all() else float("nan")

        spread = speaker_interval(gap, rows.speaker, seed)
        people = len(np.unique(rows.speaker))
        out.append(figure(f"{name}/{label}_gap_{kind}", gap(np.arange(len(rows.p))), interval=spread, n=people))
    return out


def _enough(rows: Scored, here: NDArray[np.bool_]) -> bool:
    upset = int(rows.distress[here].sum())
    return upset >= LEAST_CLIPS and int(here.sum()) - upset >= LEAST_CLIPS


def _band(age: str) -> str:
    """``18`` and ``18.0`` are ages; anything else is unknown."""
    try:
        years = float(age)
    except ValueError:
        return ""
    return next((f"{low}-{high - 1}" for low, high in AGES if low <= years < high), "")
