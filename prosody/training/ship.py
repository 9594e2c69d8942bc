"""A fitted network becomes a folder: ``model.onnx``, ``model.yaml``, and later its card.

Hears from: fit. Tells: `prosody.emotion`.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from prosody.detector import DetectorParameters
from prosody.emotion import front_end_card
from prosody.encoder import ENCODER_NAME, WhisperEncoder
from prosody.evaluation.calls import choose_parameters, voices
from prosody.features import TABLE
from prosody.training.band import calibration_band
from prosody.training.corpora import CLASSES, Clip
from prosody.training.fit import Platt, fit, fit_platt, fit_temperature, leave_corpora_out, leave_speakers_out
from prosody.training.network import write_onnx
from prosody.training.table import Table

DEFAULT_RATE = 1.0
"""False transfers per 100 calm calls the shipped threshold is for; the operator may ask for another rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Attributes:
    corpora: Names of the corpora it may see.
    copies: Augmented copies of each.
    free_only: Only noise that is free for commercial use.
    """

    name: str
    corpora: tuple[str, ...]
    copies: int
    free_only: bool
    licence: str
    non_commercial: bool


RECIPES = {
    "open": Recipe(
        name="open", corpora=("emodb",), copies=8, free_only=True, non_commercial=False,
        licence="Apache-2.0; trained on EmoDB (CC0 1.0 after the audEERING datasets card)",
    ),
    "research": Recipe(
        name="research", corpora=("emodb", "ravdess", "nemo"), copies=2, free_only=False, non_commercial=True,
        licence="CC BY-NC-SA 4.0 (trained on RAVDESS and nEMO): non-commercial use only",
    ),
}  # fmt: skip


def train(
    recipe: Recipe, table: Table, clips: dict[str, list[Clip]], encoder: WhisperEncoder, out: Path, seed: int
) -> None:
    """Fits on train and dev speakers, calibrates on speakers left out of them, and writes the folder.

    Speakers of ``split = test`` take part in nothing here.
    """
    seen = table.where(table.split != "test")
    logits = leave_speakers_out(seen, seed).logits(seen.inputs, seen.speaker)
    scored = seen.matched & ~seen.abstained & (seen.distress >= 0)
    distress = fit_platt(logits[scored, 0], seen.distress[scored])
    clear = seen.matched & ~seen.abstained & ~np.isnan(seen.arousal)
    arousal = fit_platt(logits[clear, 1], seen.arousal[clear])
    five = seen.matched & ~seen.abstained & (seen.five >= 0)
    temperature = fit_temperature(logits[five, 2:], seen.five[five])
    strangers = logits[:, 0]
    if len(clips) > 1:
        strangers = leave_corpora_out(seen, seed).logits(seen.inputs, seen.corpus)[:, 0]
    parameters, rates = detector(seen, strangers, distress, seed)
    out.mkdir(parents=True, exist_ok=True)
    write_onnx(fit(seen, seed), out / "model.onnx")
    card = {
        "name": recipe.name,
        "licence": recipe.licence,
        "non_commercial": recipe.non_commercial,
        "front_end": front_end_card(),
        "encoder": {
            "name": ENCODER_NAME,
            "sha256": encoder.digest,
        },
        "inputs": {
            "prosody": [f.name for f in TABLE], "units": [f.unit for f in TABLE], "states": "pooled encoder states",
        },
        "labels": list(CLASSES),
        "calibration": {
            "distress": _rounded(distress),
            "distress_band": calibration_band(
                distress, logits[scored, 0], seen.distress[scored], seen.speaker[scored], seed
            ),
            "arousal": _rounded(arousal),
            "classes": {"temperature": round(temperature, 5)},
        },
        "detector": {
            "parameters": asdict(parameters),
            "chosen_on": "speakers of train and dev, scored by models that saw nothing of their "
            + ("corpus" if len(clips) > 1 else "voice"),
            "table": rates,
        },
        "data": {
            "corpora": list(clips), "copies": recipe.copies, "seed": seed, "windows": len(seen),
            "speakers": len(set(seen.speaker.tolist())), "sha256": data_digest(clips),
        },
    }  # fmt: skip
    (out / "model.yaml").write_text(yaml.safe_dump(card, sort_keys=False, width=120, default_flow_style=None), "utf-8")


def detector(
    table: Table, logits: NDArray[np.float32], platt: Platt, seed: int
) -> tuple[DetectorParameters, list[dict[str, float]]]:
    """Parameters and table of thresholds from the speakers of ``table``; ``logits`` ``[n]`` of distress."""
    use = table.matched & ~table.abstained
    groups = []
    for corpus in sorted(set(table.corpus.tolist())):
        mine = use & (table.corpus == corpus)
        p = platt.probability(logits[mine])
        groups.append(voices(p, table.clip[mine], table.speaker[mine], table.sex[mine], table.emotion[mine]))
    return choose_parameters([g for g in groups if g], round(platt.prior, 4), DEFAULT_RATE, seed)


def data_digest(clips: dict[str, list[Clip]]) -> str:
    """SHA-256 over the bytes of every clip, in order."""
    digest = hashlib.sha256()
    for name in sorted(clips):
        for clip in clips[name]:
            digest.update(clip.path.read_bytes())
    return digest.hexdigest()


def _rounded(platt: Platt) -> dict[str, float]:
    return {k: round(v, 5) for k, v in asdict(platt).items()}
