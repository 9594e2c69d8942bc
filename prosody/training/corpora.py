"""Corpora as lists of clips: manifests of `WARMLINE_DATA`, a user's own manifest, a user's CREMA-D folder.

Hears from: the data folder. Tells: extraction, evaluation.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import soundfile

from prosody.errors import ModelMissing, UnusableData
from prosody.samples import SAMPLE_RATE_HZ, Samples, resample

CLASSES = ("anger", "fear", "happiness", "neutral", "sadness")
REQUIRED = ("path", "speaker")
AROUSAL = {"high": 1.0, "mid": 0.5, "low": 0.0}
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
        UnusableData: It lacks a column that must be there, or a value is none of those known.
    """
    if not path.is_file():
        raise ModelMissing(f"no manifest {path}: set WARMLINE_DATA to the folder with the corpora")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = [c for c in REQUIRED if not rows or c not in rows[0]]
    if missing:
        raise UnusableData(f"{path}: lacks {', '.join(missing)}; the columns are those of docs/ear.md")
    return [_clip(row, path, number) for number, row in enumerate(rows, 2)]


def _clip(row: dict[str, str], manifest: Path, number: int) -> Clip:
    distress = row.get("distress") or ""
    if distress not in ("", "nan", "0", "1", "0.0", "1.0"):
        raise UnusableData(f"{manifest}, line {number}: distress is {distress!r}; write 1, 0 or nothing")
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
    """A user's own copy of CREMA-D (ODbL): ``1001_DFA_ANG_XX.wav`` and, beside it, ``VideoDemographics.csv``.

    Raises:
        UnusableData: No such recording under ``folder``.
    """
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
    if not clips:
        raise UnusableData(f"{folder}: no recording named as CREMA-D's are (1001_DFA_ANG_XX.wav)")
    return clips


def load_audio(path: Path) -> Samples:
    """Mono samples at 8 kHz.

    Raises:
        UnusableData: There is no such file, or it is no audio.
    """
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as exc:
        raise UnusableData(f"{path}: {exc.error_string}; give a WAV, FLAC, Ogg or MP3 file") from exc
    return resample(samples.mean(axis=1), rate, SAMPLE_RATE_HZ)
