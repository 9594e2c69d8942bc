"""What a reader would rather see than read: reliability, detection error trade-off, the grid of lines.

Hears from: scores and labels. Tells: PNG files. Needs matplotlib (the training extra).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from prosody.errors import ModelMissing
from prosody.evaluation.grid import LOSSES, SNRS_DB, Cell
from prosody.evaluation.metrics import reliability
from prosody.training.degrade import CODECS

Curve = tuple[NDArray[np.float64], NDArray[np.intp]]
"""Probabilities and labels of one group."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, told apart by colour-blind readers."""
MARKS = ("o", "s", "^", "D", "v", "P")
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise ModelMissing("pictures need matplotlib: pip install 'warmline[train]'") from exc
    picture = Figure(figsize=(width, height), layout="constrained")
    return picture, picture.subplots()


def draw_reliability(path: Path, title: str, curves: Mapping[str, Curve]) -> None:
    """Observed share of distress against the probability given, ten bins of equal mass, with Wilson's 95 % bars."""
    picture, axes = _figure(5.2, 5.0)
    axes.plot([0, 1], [0, 1], color="#888888", linestyle=":", label="as given")
    for (name, (p, truth)), colour, mark in zip(curves.items(), COLOURS, MARKS, strict=False):
        points = reliability(p, truth)
        given, seen = np.asarray([x for x, _, _ in points]), np.asarray([y for _, y, _ in points])
        low, high = _wilson(seen, np.asarray([n for _, _, n in points]))
        bars = [np.maximum(seen - low, 0.0), np.maximum(high - seen, 0.0)]
        axes.errorbar(given, seen, bars, color=colour, marker=mark, capsize=2, label=f"{name} (n = {len(p)})")
    axes.set(xlabel="probability of distress given", ylabel="share labelled distress", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8)
    picture.savefig(path, dpi=130)


def draw_det(path: Path, title: str, curves: Mapping[str, Curve]) -> None:
    """Misses against false alarms on normal deviates (A. Martin et al., Eurospeech 1997); 5 % FPR marked."""
    picture, axes = _figure(5.2, 5.0)
    for (name, (p, truth)), colour in zip(curves.items(), COLOURS, strict=False):
        false, missed = det(p, truth)
        axes.plot(norm.ppf(false), norm.ppf(missed), color=colour, label=name)
    axes.axvline(norm.ppf(0.05), color="#888888", linestyle=":", label="5 % false positives")
    axes.set_xticks(norm.ppf(_TICKS), [f"{100 * t:g}" for t in _TICKS])
    axes.set_yticks(norm.ppf(_TICKS), [f"{100 * t:g}" for t in _TICKS])
    edge = (norm.ppf(0.005), norm.ppf(0.9))
    axes.set(xlabel="calm clips called distress, %", ylabel="distress missed, %", xlim=edge, ylim=edge)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    picture.savefig(path, dpi=130)


def det(p: NDArray[np.floating], truth: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(false positive rate, miss rate) at every threshold, ends left out: a deviate of 0 or 1 is infinite."""
    order = np.argsort(-np.asarray(p), kind="stable")
    hits = np.cumsum(truth[order] == 1) / max(int((truth == 1).sum()), 1)
    false = np.cumsum(truth[order] == 0) / max(int((truth == 0).sum()), 1)
    keep = (false > 0) & (false < 1) & (hits > 0) & (hits < 1)
    return false[keep], 1.0 - hits[keep]


def draw_grid(path: Path, title: str, cells: Sequence[Cell]) -> None:
    """AUC by codec (rows) and by noise and loss (columns); below, in brackets, the share of clips answered."""
    picture, axes = _figure(11.0, 4.2)
    known = {(c.line.codec, c.line.snr_db, c.line.loss): c for c in cells}
    columns = [(snr, loss) for snr in SNRS_DB for loss in LOSSES]
    values = np.asarray([[known[codec, *column].auc for column in columns] for codec in CODECS])
    image = axes.imshow(values, vmin=0.5, vmax=1.0, cmap="cividis", aspect="auto")
    for row, codec in enumerate(CODECS):
        for place, column in enumerate(columns):
            cell = known[codec, *column]
            ink = "white" if cell.auc < 0.8 else "black"
            text = f"{cell.auc:.2f}\n({100 * cell.coverage:.0f} %)"
            axes.text(place, row, text, ha="center", va="center", color=ink, fontsize=7)
    axes.set_yticks(range(len(CODECS)), CODECS)
    named = [f"{'clean' if snr is None else f'{snr:.0f} dB'}\n{100 * loss:.0f} % lost" for snr, loss in columns]
    axes.set_xticks(range(len(columns)), named, fontsize=7)
    axes.set_title(title, fontsize=10)
    picture.colorbar(image, ax=axes, label="AUC of distress")
    picture.savefig(path, dpi=130)


def _wilson(
    share: NDArray[np.float64], n: NDArray[np.intp], z: float = 1.96
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - half, middle + half
