"""The latency benchmark drawn: distributions, and stages on top of each other, by number of calls.

Hears from: `voice.evaluation.latency_report`. Tells: PNG files. Needs matplotlib (the training extra).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voice.errors import UserError
from voice.evaluation.latency_level import Level

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7")
"""Okabe and Ito's colours, told apart by colour-blind readers."""
STAGE_NAMES = {
    "vad_wait": "wait for the end of the turn",
    "recognition": "recognition beyond it",
    "decision": "log and dialogue",
    "first_audio": "first words made",
    "link": "to the gateway's tick",
    "line": "line and telephone",
}


def draw(folder: Path, measured: Mapping[int, Level]) -> None:
    """Both pictures.

    Raises:
        UserError: No matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise UserError("eval latency --report: pictures need matplotlib; pip install 'warmline[train]'") from exc
    for name, fill in (("distribution", _distribution), ("stages", _stages)):
        picture = Figure(figsize=(7.0, 4.0), layout="constrained")
        fill(picture.subplots(), measured)
        picture.savefig(folder / f"latency-{name}.png", dpi=130, metadata={"Software": None})


def _distribution(axes: Axes, measured: Mapping[int, Level]) -> None:
    """Share of turns answered within a delay, one line for each number of calls."""
    for (n, level), colour in zip(measured.items(), COLOURS, strict=False):
        delays = np.sort(level.delays_ms)
        share = np.arange(1, len(delays) + 1) / len(delays)
        axes.step(
            delays, share, where="post", color=colour, label=f"{n} {'call' if n == 1 else 'calls'}, n = {len(delays)}"
        )
    axes.axhline(0.95, color="#888888", linestyle=":", linewidth=1)
    axes.set(xlabel="voice to voice at the caller's ear [ms]", ylabel="share of turns", xlim=(0, None), ylim=(0, 1))
    axes.legend(fontsize=8, loc="lower right")


def _stages(axes: Axes, measured: Mapping[int, Level]) -> None:
    """Mean stages on top of each other, a bar for each number of calls."""
    names = [str(n) for n in measured]
    base = np.zeros(len(names))
    for (stage, label), colour in zip(STAGE_NAMES.items(), COLOURS, strict=True):
        height = np.array([level.mean_stages_ms().get(stage, 0.0) for level in measured.values()])
        axes.bar(names, height, bottom=base, color=colour, label=label, width=0.6)
        base += height
    axes.set(xlabel="calls at once", ylabel="mean delay [ms]")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
