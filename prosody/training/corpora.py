"""Corpora as lists of clips: manifests of `WARMLINE_DATA`, a user's own manifest, a user's CREMA-D folder.

Hears from: the data folder. Tells: extraction, evaluation.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import soundfile

from prosody.errors import ModelMissing
from prosody.samples import SAMPLE_RATE_HZ, Samples, resample

CLASSES = ("anger", "fear", "happiness", "neutral", "sadness")
AROUSAL = {"high": 1.0, "mid": 0.5, "low": 0.0}
OPEN = ("emodb",)
"""Free for commercial use (CC0 after the audEERING datasets card)."""
ALL = ("emodb", "ravdess", "nemo")
_CREMA_D = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "NEU": "neutral", "SAD": "sadness"}
_CREMA_D_AROUSAL = {"ANG": "high", "DIS": "mid", "FEA": "high", "HAP": "high", "NEU": "low", "SAD": "low"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Attributes:
    emotion: Normalised label (anger, fear, happiness, neutral, calm, sadness, surprise, disgust, boredom).
    distress: 1 = fear, anger or strong sadness; ``None`` unlabelled.
    arousal: 0..1 after the label; ``None`` unlabelled.
    """

    path: Path
    corpus: str
    language: str
    speaker: str
    sex: str
    age: str
    emotion: str
    distress: int | None
    arousal: float | None
    split: str

    @property
    def five(self) -> str | None:
        """One of `CLASSES`, or ``None`` where the label is none of them."""
        label = "neutral" if self.emotion == "calm" else self.emotion
        return label if label in CLASSES else None


def data_folder() -> Path:
    return Path(os.environ.get("WARMLINE_DATA", "../shared/data"))


def read_manifest(path: Path) -> list[Clip]:
    """Clips of a manifest with the columns of the shipped corpora; paths are relative to it.

    Raises:
        ModelMissing: There is no such manifest.
    """
    if not path.is_file():
        raise ModelMissing(f"no manifest {path}: set WARMLINE_DATA to the folder with the corpora")
    with path.open(encoding="utf-8", newline="") as file:
        return [_clip(row, path) for row in csv.DictReader(file)]


def _clip(row: dict[str, str], manifest: Path) -> Clip:
    distress = row.get("distress", "")
    return Clip(
        path=manifest.parent / row["path"],
        corpus=row.get("corpus") or manifest.parent.name,
        language=row.get("language", ""),
        speaker=row.get("speaker", ""),
        sex=row.get("sex", ""),
        age=row.get("age", ""),
        emotion=row.get("emotion", ""),
        distress=int(float(distress)) if distress not in ("", "nan") else None,
        arousal=AROUSAL.get(row.get("arousal", "")),
        split=row.get("split", ""),
    )


def read_crema_d(folder: Path) -> list[Clip]:
    """A user's own copy of CREMA-D (ODbL): ``1001_DFA_ANG_XX.wav`` and, beside it, ``VideoDemographics.csv``."""
    sex, age = {}, {}
    for table in folder.rglob("VideoDemographics.csv"):
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                sex[row["ActorID"]], age[row["ActorID"]] = row["Sex"][:1].lower(), row["Age"]
    clips = []
    for path in sorted(folder.rglob("*.wav")):
        parts = path.stem.split("_")
        if len(parts) != 4 or parts[2] not in _CREMA_D:
            continue
        strong_sadness = parts[2] == "SAD" and parts[3] == "HI"
        clips.append(
            Clip(
                path=path, corpus="crema-d", language="en", speaker=f"crema-d_{parts[0]}",
                sex=sex.get(parts[0], ""), age=age.get(parts[0], ""), emotion=_CREMA_D[parts[2]],
                distress=int(parts[2] in ("ANG", "FEA") or strong_sadness),
                arousal=AROUSAL[_CREMA_D_AROUSAL[parts[2]]], split="train",
            )
        )  # fmt: skip
    return clips


def corpus(name: str) -> list[Clip]:
    return read_manifest(data_folder() / name / "manifest.csv")


def load_audio(path: Path) -> Samples:
    """Mono samples at 8 kHz."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return resample(samples.mean(axis=1), rate, SAMPLE_RATE_HZ)
