"""What the telephone line and the machine cost: codecs, noise, loss, length; milliseconds and megabytes.

Hears from: corpora. Tells: figures.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prosody.channel import measure_channel
from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from prosody.evaluation.clip_table import by_clip
from prosody.evaluation.figure import Figure, figure
from prosody.evaluation.metrics import auc, speaker_interval, uar
from prosody.features import analyse
from prosody.streaming import SpeechWindow
from prosody.training.corpora import Clip
from prosody.training.degrade import MATCHED, Line
from prosody.training.extraction import clips_of, extract
from prosody.training.fit import Held
from prosody.training.ship import Recipe
from prosody.training.table import Table, rows

CLIPS_EACH = 130
LINES: dict[str, tuple[Line, float | None, str | None]] = {
    "alaw": (Line(codec="alaw"), None, None),
    "g722": (Line(codec="g722"), None, None),
    "wideband": (Line(codec="wide"), None, ">= -0.03"),
    "gsm": (Line(codec="gsm"), None, ">= -0.03"),
    "opus": (Line(codec="opus"), None, ">= -0.03"),
    "loss_5pct": (Line(loss=0.05), None, None),
    "loss_10pct": (Line(loss=0.10), None, ">= -0.03"),
    "loss_10pct_zeros": (Line(loss=0.10, repeat=False), None, None),
    "snr_20db": (Line(snr_db=20.0), None, None),
    "snr_10db": (Line(snr_db=10.0), None, ">= -0.05"),
    "snr_5db": (Line(snr_db=5.0), None, None),
    "quiet_20db": (Line(level_db=-20.0), None, None),
    "gsm_snr_10db_loss_5pct": (Line(codec="gsm", snr_db=10.0, loss=0.05), None, None),
    "window_1s": (MATCHED, 1.0, None),
    "window_1p5s": (MATCHED, 1.5, None),
    "window_3s": (MATCHED, 3.0, None),
}


def some(clips: list[Clip], count: int = CLIPS_EACH) -> list[Clip]:
    """Clips spread evenly over the five classes and, in each, over speakers; always the same ones."""
    usable = sorted((c for c in clips if c.five is not None), key=lambda c: (str(c.five), c.path.name[::-1]))
    step = max(len(usable) / count, 1.0)
    return [usable[int(i * step)] for i in range(min(count, len(usable)))]


def figures(
    recipe: Recipe, held: Held, encoder: WhisperEncoder, seed: int, report: Callable[[str], None]
) -> list[Figure]:
    """Change of 5-class UAR against the plain telephone, same clips, speakers unseen; AUC beside it."""
    chosen = {name: some(clips) for name, clips in clips_of(recipe.corpora).items()}

    def table(label: str, line: Line, window_s: float | None) -> list[Table]:
        return [
            rows(clips, extract(f"line-{label}-{name}", clips, encoder, line=line, seed=77, noise_split="test",
                                window_s=window_s, report=report), matched=True)
            for name, clips in chosen.items()
        ]  # fmt: skip

    plain = [_measured(t, held) for t in table("plain", MATCHED, None)]
    out = []
    strict = recipe.name == "research"
    for label, (line, window_s, goal) in LINES.items():
        tables = [_measured(t, held) for t in table(label, line, window_s)]
        change = float(np.mean([a.uar - b.uar for a, b in zip(tables, plain, strict=True)]))

        def shift(index: NDArray[np.intp], a: list[_Measured] = tables) -> float:
            people = np.concatenate([m.speaker for m in plain])[index]
            count = dict(zip(*np.unique(people, return_counts=True), strict=True))
            return float(np.mean([x.resampled(count) - y.resampled(count) for x, y in zip(a, plain, strict=True)]))

        people = np.concatenate([m.speaker for m in plain])
        spread = speaker_interval(shift, people, seed, draws=100)
        out.append(
            figure(
                f"{recipe.name}/uar_change_{label}", change, interval=spread, n=sum(len(m.speaker) for m in tables),
                target=goal if strict else None,
            )
        )  # fmt: skip
        out.append(figure(f"{recipe.name}/auc_distress_{label}", float(np.mean([m.auc for m in tables]))))
        out.append(figure(f"{recipe.name}/coverage_{label}", float(np.mean([m.coverage for m in tables]))))
    return out


class _Measured:
    """Clip scores of one corpus through one line."""

    def __init__(self, table: Table, logits: NDArray[np.float32]) -> None:
        clips = by_clip(table, logits)
        known = clips.table.five >= 0
        self.speaker = clips.table.speaker[known]
        self._guess = clips.logits[known, 2:].argmax(axis=1)
        self._truth = clips.table.five[known]
        self.uar = uar(self._guess, self._truth)
        self.auc = auc(clips.logits[:, 0], clips.table.distress)
        self.coverage = float(clips.answered.mean())

    def resampled(self, count: dict[str, int]) -> float:
        index = np.repeat(np.arange(len(self.speaker)), [count.get(s, 0) for s in self.speaker.tolist()])
        return uar(self._guess[index], self._truth[index]) if len(index) else float("nan")


def _measured(table: Table, held: Held) -> _Measured:
    return _Measured(table, held.logits(table.inputs, table.speaker))


def cost(model: str, encoder: WhisperEncoder, folder: Path | None = None) -> list[Figure]:
    """Processor time per scored window (one each second of speech), and memory of encoder and model.

    ``folder``: where the weights are, if not where ``model`` says.
    """
    rng = np.random.default_rng(0)
    ear = Ear.load(folder or model, encoder)
    samples = (0.05 * rng.standard_normal(16000)).astype(np.float32) * np.hanning(16000).astype(np.float32)
    clip = SpeechWindow(start=0.0, end=2.0, samples=samples, speech_s=2.0)
    times = []
    for _ in range(12):
        begin = time.process_time()
        analysis = analyse(clip.samples)
        measure_channel(clip, analysis)
        ear.probabilities(analysis)
        times.append(1000.0 * (time.process_time() - begin))
    grown = _memory_mb(str(folder or model))
    return [
        figure(
            f"{model}/cost_per_scored_second",
            float(np.median(times)),
            unit="ms",
            n=len(times),
            target="<= 20",
            digits=1,
        ),
        figure(f"{model}/memory", grown, unit="MB", n=1, target="<= 60", digits=1),
    ]


_MEMORY = """
import sys, numpy
from pathlib import Path
import onnxruntime
from faster_whisper.feature_extractor import FeatureExtractor
from prosody.emotion import CallReference, Ear
from prosody.encoder import WhisperEncoder
from prosody.streaming import SpeechWindow
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
mel, before = FeatureExtractor(), resident()
ear = Ear.load(sys.argv[1], WhisperEncoder(mel=mel))
samples = (0.05 * numpy.sin(numpy.arange(16000) ** 1.1)).astype(numpy.float32)
ear.score(SpeechWindow(start=0.0, end=2.0, samples=samples, speech_s=2.0), CallReference())
print(resident() - before)
"""


def _memory_mb(model: str) -> float:
    """Resident memory the ear adds to a process that has the recogniser's libraries loaded [MB]; NaN if unknown."""
    run = subprocess.run([sys.executable, "-c", _MEMORY, model], capture_output=True, text=True, check=False)
    return float(run.stdout) if run.returncode == 0 else float("nan")
