"""What `agent.patience` buys: turns cut off against the delay at their ends, from hasty to very patient.

Hears from: `voice.evaluation.turns`. Tells: the same, figures; with ``--report`` a picture and a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prosody.evaluation import Figure
from voice.errors import UserError
from voice.evaluation.transcription import NATIVE
from voice.evaluation.turns_corpus import Turn
from voice.evaluation.turns_ends import Ended
from voice.evaluation.turns_pauses import Pause, taken

PATIENCE = (0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
GROUPS = ("read, native", "read, accented", "on calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One group of turns at one patience. Delays [ms]."""

    patience: float
    cut_per_100: float
    p50_ms: float
    p95_ms: float
    turns: int


def group_of(turn: Turn) -> str | None:
    """Which curve a turn belongs to."""
    if turn.kind == "call":
        return GROUPS[2]
    if turn.kind in ("whole", "paused"):
        return GROUPS[0] if turn.source in NATIVE else GROUPS[1]
    return None


def curves(heard: Sequence[tuple[Turn, Sequence[Pause]]], *, held_out: bool) -> dict[str, list[Point]]:
    """Of one half of the corpus, by group."""
    out: dict[str, list[Point]] = {}
    for group in GROUPS:
        part = [(turn, found) for turn, found in heard if group_of(turn) == group and turn.held_out == held_out]
        if part:
            out[group] = [_point([taken(t, found, p) for t, found in part], p) for p in PATIENCE]
    return out


def _point(ended: Sequence[Ended], patience: float) -> Point:
    delays = [1000 * e.delay_s for e in ended if e.delay_s is not None and not e.split] or [float("nan")]
    p50, p95 = np.percentile(delays, (50, 95))
    cut = 100 * float(np.mean([e.cut for e in ended]))
    return Point(patience=patience, cut_per_100=cut, p50_ms=float(p50), p95_ms=float(p95), turns=len(ended))


def figures(found: Mapping[str, Sequence[Point]], suffix: str) -> list[Figure]:
    out = []
    for group, points in found.items():
        for p in points:
            name = f"{group.replace(', ', '_').replace(' ', '_')}_patience_{p.patience:g}"
            for what, value, unit in (
                ("cut_off_per_100", p.cut_per_100, "turns"), ("p50_ms", p.p50_ms, "ms"), ("p95_ms", p.p95_ms, "ms"),
            ):  # fmt: skip
                out.append(
                    Figure(
                        name=f"{name}_{what}{suffix}", value=value, unit=unit, interval=None, n=p.turns, target=None,
                        met=None,
                    )
                )  # fmt: skip
    return out


def report(folder: Path, found: Mapping[str, Sequence[Point]]) -> None:
    """``patience.md`` and ``patience.png``.

    Raises:
        UserError: No matplotlib.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["| `agent.patience` | " + " | ".join(f"{g} (n = {p[0].turns})" for g, p in found.items()) + " |"]
    lines += ["|" + " --- |" * (len(found) + 1)]
    for k, patience in enumerate(PATIENCE):
        cells = (f"{p[k].cut_per_100:.1f} · {p[k].p50_ms:.0f} / {p[k].p95_ms:.0f} ms" for p in found.values())
        lines.append(f"| {patience:g} | " + " | ".join(cells) + " |")
    (folder / "patience.md").write_text("\n".join(lines) + "\n", "utf-8")
    try:
        from matplotlib.figure import Figure as Picture
    except ImportError as exc:
        raise UserError("eval turns --report: pictures need matplotlib; pip install 'warmline[train]'") from exc
    picture = Picture(figsize=(7.0, 4.0), layout="constrained")
    axes = picture.subplots()
    for (group, points), colour in zip(found.items(), ("#0072B2", "#D55E00", "#009E73"), strict=False):
        x, y = [p.p50_ms for p in points], [p.cut_per_100 for p in points]
        axes.plot(x, y, color=colour, marker="o", label=f"{group}, n = {points[0].turns}")
        for p in points:
            axes.annotate(f"{p.patience:g}", (p.p50_ms, p.cut_per_100), textcoords="offset points", xytext=(4, 4),
                          fontsize=7, color=colour)  # fmt: skip
    axes.axhline(3.0, color="#888888", linestyle=":", linewidth=1)
    axes.set(xlabel="median wait at the end of a turn [ms]", ylabel="turns cut off, per 100", xlim=(0, None),
             ylim=(0, None))  # fmt: skip
    axes.legend(fontsize=8)
    picture.savefig(folder / "patience.png", dpi=130, metadata={"Software": None})
