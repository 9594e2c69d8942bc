"""A shipped model on any list of clips: what ``warmline eval ear --manifest FILE`` prints.

Hears from: a manifest. Tells: figures. Needs no training package: this is the code of a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prosody.activity import windows_of
from prosody.channel import abstention, measure_channel
from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from prosody.evaluation.figure import Figure, figure
from prosody.evaluation.metrics import auc, ece_debiased, speaker_interval, uar
from prosody.features import analyse
from prosody.streaming import SpeechWindow
from prosody.training.corpora import CLASSES, Clip, load_audio, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipScore:
    """A clip's windows, averaged; forced, whether or not the ear would abstain.

    Attributes:
        p_distress: Probability of the mean log odds of its windows.
        classes: ``[5]`` mean probabilities.
        abstained: The ear would answer for none of its windows.
        reason: Of the first window that abstained.
    """

    p_distress: float
    arousal: float
    classes: NDArray[np.float64]
    abstained: bool
    reason: str


def score_clip(ear: Ear, clip: Clip) -> ClipScore:
    """Scores one recording as a call would, but answers whatever its quality."""
    return score_windows(ear, windows_of(load_audio(clip.path)))


def score_windows(ear: Ear, windows: Sequence[SpeechWindow]) -> ClipScore:
    """Scores the windows of one recording, and averages those that would be answered, or else all of them."""
    odds, arousal, classes, reasons = [], [], [], []
    for window in windows:
        analysis = analyse(window.samples)
        reasons.append(abstention(window, analysis, measure_channel(window, analysis)))
        a, p, shares = ear.probabilities(analysis)
        p = min(max(p, 1e-6), 1.0 - 1e-6)
        odds.append(np.log(p / (1.0 - p)))
        arousal.append(a)
        classes.append([shares[c] for c in CLASSES])
    if not odds:
        return ClipScore(
            p_distress=0.5, arousal=0.5, classes=np.full(len(CLASSES), 0.2), abstained=True, reason="no speech"
        )
    answered = [i for i, r in enumerate(reasons) if not r]
    use = answered or list(range(len(odds)))
    mean = float(np.mean([odds[i] for i in use]))
    return ClipScore(
        p_distress=float(1.0 / (1.0 + np.exp(-mean))),
        arousal=float(np.mean([arousal[i] for i in use])),
        classes=np.mean([classes[i] for i in use], axis=0),
        abstained=not answered,
        reason=next((r for r in reasons if r), ""),
    )


def figures_of_manifest(model: str, manifest: Path, seed: int, pictures: Path | None = None) -> list[Figure]:
    """UAR, AUC, calibration and coverage of a model on the clips of a manifest.

    UAR and AUC are forced over every clip; the calibration error is that of the clips the ear answers.
    """
    clips = read_manifest(manifest)
    ear = Ear.load(model, WhisperEncoder.load())
    scores = [score_clip(ear, clip) for clip in clips]
    speakers = np.asarray([c.speaker for c in clips])
    p = np.asarray([s.p_distress for s in scores])
    distress = np.asarray([-1 if c.distress is None else c.distress for c in clips], np.intp)
    five = np.asarray([-1 if c.five is None else CLASSES.index(c.five) for c in clips], np.intp)
    predicted = np.asarray([int(s.classes.argmax()) for s in scores], np.intp)
    answered = np.asarray([not s.abstained for s in scores])
    name = ear.name if model in ("open", "research") else str(model)
    labelled, classed = np.flatnonzero(distress >= 0), np.flatnonzero(five >= 0)
    spoken = np.flatnonzero((distress >= 0) & answered)
    if pictures is not None and 0 < distress[spoken].sum() < len(spoken):
        from prosody.evaluation.pictures import draw_det, draw_reliability

        pictures.mkdir(parents=True, exist_ok=True)
        curves = {manifest.parent.name: (p[spoken], distress[spoken])}
        draw_reliability(pictures / "reliability.png", f"{name}: calibration", curves)
        draw_det(pictures / "det.png", f"{name}: detection error", curves)

    def spread(rows: NDArray[np.intp], kind: str) -> tuple[float, float]:
        def measure(index: NDArray[np.intp]) -> float:
            i = rows[index]
            if kind == "uar":
                return uar(predicted[i], five[i])
            if kind == "auc":
                return auc(p[i], distress[i])
            if kind == "ece":
                return ece_debiased(p[i], distress[i])
            return float(answered[i].mean())

        return speaker_interval(measure, speakers[rows], seed) if len(rows) else (float("nan"), float("nan"))

    everything = np.arange(len(clips))
    return [
        figure(
            f"{name}/uar_5class",
            uar(predicted[classed], five[classed]),
            n=len(classed),
            interval=spread(classed, "uar"),
        ),
        figure(
            f"{name}/auc_distress",
            auc(p[labelled], distress[labelled]),
            n=len(labelled),
            interval=spread(labelled, "auc"),
        ),
        figure(
            f"{name}/ece_distress",
            ece_debiased(p[spoken], distress[spoken]) if len(spoken) >= 20 else float("nan"),
            n=len(spoken),
            interval=spread(spoken, "ece"),
        ),
        figure(f"{name}/coverage", float(answered.mean()), n=len(clips), interval=spread(everything, "coverage")),
    ]
