"""Refits a model's probabilities on labelled snippets of a deployment: ``warmline ear calibrate``.

Hears from: a CSV of labels, as the replay page exports. Tells: a folder with the model and its new calibration.

A model calibrated on actors is not calibrated on callers; 60 labelled snippets nearly are enough (ECE 0.15-0.27 raw,
0.05-0.07 after).
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from prosody.activity import windows_of
from prosody.channel import abstention, measure_channel
from prosody.emotion import Ear, model_folder
from prosody.encoder import ENCODER_RATE_HZ, WhisperEncoder, pool
from prosody.errors import ProsodyError
from prosody.evaluation.metrics import ece
from prosody.features import analyse
from prosody.samples import SAMPLE_RATE_HZ, resample
from prosody.training.band import calibration_band
from prosody.training.corpora import load_audio
from prosody.training.fit import Platt, refit_platt

MIN_SNIPPETS = 60
MIN_OF_EACH = 10


def calibrate(labels: Path, model: str | Path, out: Path) -> str:
    """Refits P(distress) and writes ``out`` with ``model.onnx`` and a new ``model.yaml``.

    Args:
        labels: CSV with the columns ``path`` (relative to it) and ``distress`` (1 or 0) and, if the file is a whole
            call, ``start`` and ``end`` [s].
        model: Which model to start from.
        out: Folder to write.

    Returns:
        One line with what was fitted.

    Raises:
        ProsodyError: Too few labels, or a file that cannot be read.
    """
    encoder = WhisperEncoder.load()
    ear = Ear.load(model, encoder)
    logits, truth = _scores(labels, ear, encoder)
    counts = np.bincount(truth, minlength=2)
    if len(truth) < MIN_SNIPPETS or counts.min() < MIN_OF_EACH:
        raise ProsodyError(
            f"{labels}: {len(truth)} snippets the ear can score, {counts[1]} of distress; "
            f"{MIN_SNIPPETS} are needed, {MIN_OF_EACH} of each"
        )
    before = Platt(**ear.card["calibration"]["distress"])
    after = refit_platt(before, logits, truth)
    folder = model_folder(model)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "model.onnx", out / "model.onnx")
    card = dict(ear.card)
    card["name"] = f"{ear.name}-calibrated"
    band = calibration_band(after, logits, truth, np.arange(len(truth)), 0, lambda x, y: refit_platt(before, x, y))
    card["calibration"] = dict(card["calibration"]) | {
        "distress": {"slope": round(after.slope, 5), "offset": round(after.offset, 5), "prior": round(after.prior, 5)},
        "distress_band": band,
    }
    parameters = dict(card["detector"]["parameters"]) | {"prior": round(after.prior, 4)}
    card["detector"] = dict(card["detector"]) | {"parameters": parameters}
    card["calibrated_on"] = {"snippets": len(truth), "distress": int(counts[1]), "labels": labels.name}
    text = yaml.safe_dump(card, sort_keys=False, width=120, default_flow_style=None)
    (out / "model.yaml").write_text(text, "utf-8")
    was, now = ece(before.probability(logits), truth), _left_out(before, logits, truth)
    return (
        f"{len(truth)} snippets ({counts[1]} of distress): calibration error {was:.3f} before, "
        f"{now:.3f} after (snippets left out); wrote {out}"
    )


def _left_out(base: Platt, logits: NDArray[np.float64], truth: NDArray[np.intp], parts: int = 5) -> float:
    """Calibration error of a fit on snippets it has not seen."""
    p = np.zeros(len(truth))
    for part in range(parts):
        mine = np.arange(len(truth)) % parts == part
        p[mine] = refit_platt(base, logits[~mine], truth[~mine]).probability(logits[mine])
    return ece(p, truth, bins=5)


def _scores(labels: Path, ear: Ear, encoder: WhisperEncoder) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Mean logit and label of each snippet that the ear would score."""
    logits, truth = [], []
    try:
        with labels.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as exc:
        raise ProsodyError(f"{labels}: {exc.strerror}; give a CSV with the columns path and distress") from exc
    if not rows or not {"path", "distress"} <= set(rows[0]):
        raise ProsodyError(f"{labels}: needs the columns path and distress")
    for row in rows:
        samples = load_audio(labels.parent / row["path"])
        if row.get("start") and row.get("end"):
            samples = samples[int(float(row["start"]) * SAMPLE_RATE_HZ) : int(float(row["end"]) * SAMPLE_RATE_HZ)]
        found = []
        for window in windows_of(samples):
            analysis = analyse(window.samples)
            if abstention(window, analysis, measure_channel(window, analysis)):
                continue
            states = pool(encoder.encode(resample(analysis.band_samples, SAMPLE_RATE_HZ, ENCODER_RATE_HZ)))
            found.append(float(ear.logits(np.concatenate([analysis.vector, states])[None])[0, 0]))
        if found:
            logits.append(float(np.mean(found)))
            truth.append(int(float(row["distress"]) >= 0.5))
    return np.asarray(logits), np.asarray(truth, np.intp)
