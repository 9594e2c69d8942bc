"""One model through every telephone line: codec by noise by loss, the same clips each time.

Hears from: clips. Tells: the audit. The lines are simulations (`prosody.training.degrade`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from prosody.activity import speech_blocks, windows_of
from prosody.emotion import Ear
from prosody.evaluation.clips import ClipScore, score_windows
from prosody.evaluation.figure import Figure, figure
from prosody.evaluation.metrics import auc
from prosody.samples import Samples
from prosody.training.corpora import Clip, load_audio
from prosody.training.degrade import CODECS, Line, degrade

SNRS_DB: tuple[float | None, ...] = (None, 20.0, 10.0, 5.0)
LOSSES = (0.0, 0.05, 0.10)
CLIPS = 120
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One line: its AUC over all clips (forced), and the share of clips the ear answers."""

    line: Line
    auc: float
    coverage: float
    n: int


def lines() -> Iterator[Line]:
    for codec in CODECS:
        for snr_db in SNRS_DB:
            for loss in LOSSES:
                yield Line(codec=codec, snr_db=snr_db, loss=loss)


def choose(clips: Sequence[Clip], count: int = CLIPS) -> list[Clip]:
    """Labelled clips, as many upset as not, spread evenly over corpora and speakers; always the same ones."""
    out: list[Clip] = []
    for truth in (0, 1):
        side = sorted((c for c in clips if c.distress == truth), key=lambda c: (c.corpus, c.speaker, c.path.name[::-1]))
        step = max(len(side) / (count // 2), 1.0)
        out += [side[int(i * step)] for i in range(min(count // 2, len(side)))]
    return out


def measure(ear: Ear, clips: Sequence[Clip], beds: Sequence[Samples], seed: int, report: Progress) -> list[Cell]:
    """Every line of `lines`. The noise of a clip is the same through every line, so that cells can be compared."""
    audio = [load_audio(c.path) for c in clips]
    speech = [speech_blocks(a) for a in audio]
    truth = np.asarray([c.distress for c in clips], np.intp)
    out = []
    for number, line in enumerate(lines(), 1):
        scores: list[ClipScore] = []
        for index, (samples, verdicts) in enumerate(zip(audio, speech, strict=True)):
            rng = np.random.default_rng([seed, index])
            bed = beds[int(rng.integers(len(beds)))] if beds else None
            heard, lost = degrade(samples, line, rng, bed)
            scores.append(score_windows(ear, windows_of(heard, speech=verdicts, lost=lost)))
        p = np.asarray([s.p_distress for s in scores])
        answered = float(np.mean([not s.abstained for s in scores]))
        out.append(Cell(line=line, auc=auc(p, truth), coverage=answered, n=len(clips)))
        if number % 12 == 0:
            report(f"lines: {number} of {len(CODECS) * len(SNRS_DB) * len(LOSSES)}")
    return out


def label(line: Line) -> str:
    """``opus_snr_10db_loss_5pct``."""
    noise = "" if line.snr_db is None else f"_snr_{line.snr_db:.0f}db"
    return f"{line.codec}{noise}" + (f"_loss_{100 * line.loss:.0f}pct" if line.loss else "")


def figures(name: str, cells: Sequence[Cell]) -> list[Figure]:
    """AUC of each line less that of the plain one (mu-law, no noise, no loss), and coverage."""
    plain = next(c.auc for c in cells if c.line == Line(codec="mulaw"))
    out = [figure(f"{name}/auc_line_mulaw", plain, n=cells[0].n)]
    for cell in cells:
        out.append(figure(f"{name}/auc_change_{label(cell.line)}", cell.auc - plain, n=cell.n))
        out.append(figure(f"{name}/coverage_{label(cell.line)}", cell.coverage, n=cell.n))
    return out
