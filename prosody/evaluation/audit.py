"""``warmline audit``: by whom, in what language and over what line the shipped ear is worse, with gates.

Hears from: a manifest of labelled clips, or the test speakers of the shipped corpora. Tells: the operator, as a dated
folder with a table and pictures; a gate that fails makes the command exit 1.

It measures the weights in the folder, not the recipe (`prosody.evaluation.corpora` refits that): what is audited is
what answers the calls.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from prosody.errors import ModelMissing
from prosody.evaluation import grid, groups, lines
from prosody.evaluation.card import markdown
from prosody.evaluation.clips import score_clip
from prosody.evaluation.figure import Figure, figure
from prosody.training.corpora import ALL, Clip, read_manifest
from prosody.training.extraction import clips_of, noises, synthetic_noise

GATES: dict[str, str] = {
    "tpr_gap_sex": "<= 0.15",
    "fpr_gap_sex": "<= 0.10",
    "tpr_gap_age": "<= 0.20",
    "auc_language_": ">= 0.70",
    "ece_corpus_": "<= 0.15",
    "coverage_all": ">= 0.85",
    "auc_change_alaw": ">= -0.03",
    "auc_change_g722": ">= -0.03",
    "auc_change_wide": ">= -0.03",
    "auc_change_gsm": ">= -0.05",
    "auc_change_opus": ">= -0.05",
    "auc_change_mulaw_loss_10pct": ">= -0.05",
    "auc_change_mulaw_snr_10db": ">= -0.05",
    "cost_per_scored_second": "<= 40",
}
"""Looser than the targets: beyond them, nobody should switch the ear on. A name ending in ``_`` gates all it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was measured, and what the pictures are drawn from."""

    name: str
    version: str
    speakers: int
    rows: groups.Scored
    cells: list[grid.Cell]
    figures: list[Figure]

    @property
    def passed(self) -> bool:
        return all(f.met is not False for f in self.figures)


def audit(
    model: str | Path = "open",
    manifest: Path | None = None,
    seed: int = 0,
    report: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> Audit:
    """Scores every clip once, 120 of them through 72 lines.

    Args:
        model: ``open``, ``research`` or a folder.
        manifest: Labelled clips, columns of the shipped corpora; ``None``: ``split = test`` of those, whose speakers
            no shipped weight ever saw.
        seed: Of the intervals and of the noise.
        report: Told of the progress, a line at a time.

    Raises:
        ModelMissing: No model, no manifest, or no clip in it with a label.
    """
    encoder = WhisperEncoder.load()
    ear = Ear.load(model, encoder)
    clips = [c for c in _clips(manifest) if c.distress is not None]
    if not {0, 1} <= {c.distress for c in clips}:
        raise ModelMissing("the audit needs clips of both kinds: distress = 0 and distress = 1 in the manifest")
    scores = []
    for index, clip in enumerate(clips, 1):
        scores.append(score_clip(ear, clip))
        if index % 250 == 0:
            report(f"clips: {index} of {len(clips)}")
    rows = groups.scored(clips, scores)
    cells = grid.measure(ear, grid.choose(clips), _beds(), seed, report)
    found = [figure(f"{ear.name}/coverage_all", float(np.mean([not s.abstained for s in scores])), n=len(clips))]
    found += groups.figures(ear.name, rows, seed) + grid.figures(ear.name, cells)
    found += lines.cost(str(model), encoder)
    gated = [_gated(f) for f in found]
    people = len({c.speaker for c in clips})
    return Audit(name=ear.name, version=ear.version, speakers=people, rows=rows, cells=cells, figures=gated)


def write(result: Audit, folder: Path, when: str, where: str) -> None:
    """``audit.md`` and its pictures.

    Args:
        result: Of `audit`.
        folder: Made if it is not there.
        when: Date, ISO 8601.
        where: Machine and commit.
    """
    from prosody.evaluation.pictures import draw_det, draw_grid, draw_reliability

    folder.mkdir(parents=True, exist_ok=True)
    rows = result.rows
    for kind in ("sex", "language"):
        column = getattr(rows, kind)
        curves = {g: (rows.p[column == g], rows.distress[column == g]) for g in np.unique(column).tolist() if g}
        curves = {g: c for g, c in curves.items() if 0 < int(c[1].sum()) < len(c[1])}
        draw_reliability(folder / f"reliability-{kind}.png", f"{result.name}: calibration by {kind}", curves)
        draw_det(folder / f"det-{kind}.png", f"{result.name}: detection error by {kind}", curves)
    draw_grid(folder / "lines.png", f"{result.name}: AUC (share answered) by line", result.cells)
    failed = [f.name for f in result.figures if f.met is False]
    verdict = f"**Failed:** {', '.join(failed)}." if failed else "Every gate passed."
    (folder / "audit.md").write_text(
        f"# Audit of the ear `{result.name}`, {when}\n\nVersion `{result.version}`; {result.speakers} speakers, "
        f"{len(rows.p)} labelled clips answered. {where}.\n\n{verdict} With few speakers the intervals are wide: a gap "
        "inside them may be chance, and so may its absence.\n\n"
        "![by sex](reliability-sex.png) ![by language](reliability-language.png)\n\n"
        "![by sex](det-sex.png) ![by language](det-language.png)\n\n![lines](lines.png)\n\n"
        f"{markdown(result.figures)}",
        "utf-8",
    )


def _clips(manifest: Path | None) -> Sequence[Clip]:
    if manifest is not None:
        return read_manifest(manifest)
    return [c for clips in clips_of(ALL).values() for c in clips if c.split == "test"]


def _beds() -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """Test noise where the corpora are; elsewhere coloured noise of our own."""
    try:
        return noises(free_only=False, split="test")[0]
    except OSError:
        rng = np.random.default_rng(0)
        return [synthetic_noise(rng) for _ in range(8)]


def _gated(one: Figure) -> Figure:
    short = one.name.split("/", 1)[1]
    gate = GATES.get(short) or next((g for n, g in GATES.items() if n.endswith("_") and short.startswith(n)), None)
    if gate is None:
        return replace(one, target=None, met=None)
    sign, bound = gate.split()
    value = one.value
    met = value is not None and (value >= float(bound) if sign == ">=" else value <= float(bound))
    return replace(one, target=gate, met=met)
