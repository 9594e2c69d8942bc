"""The lower half of Whisper's encoder as a listener: what each 20 ms sounds like.

Hears from: `prosody.emotion`. Tells: the model.

Recognition's model is no help here: CTranslate2 returns the last of its layers only, and the last layer has learnt to
forget how something was said. Leaving a corpus out, distress AUC on emodb / ravdess / nemo was 0.90 / 0.74 / 0.74 from
layer 4 and 0.92 / 0.81 / 0.81 from layers 1-3 of the same weights. So the ear brings those layers itself
(``models/encoder.onnx``, 8 MB, int8, made by `prosody.training.encoder_export` from Whisper tiny.en, MIT): one
unpadded pass, 4 ms for a 2 s window. Training and serving must pad alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prosody.errors import ModelMissing

ENCODER_NAME = "whisper-tiny.en, layers 1-3 (ONNX, int8)"
LAYERS = (1, 2, 3)
FRAME_S = 0.020
WIDTH = 384 * len(LAYERS)
ENCODER_RATE_HZ = 16000
MAX_FRAMES = 500
"""Longest window: 10 s."""


def default_encoder() -> Path:
    return Path(__file__).parent / "models" / "encoder.onnx"


class WhisperEncoder:
    """Encodes speech. Blocking, one thread; several calls may share one.

    Attributes:
        digest: SHA-256 of the encoder's file, which ``model.yaml`` must name.
    """

    def __init__(
        self, model: Any = None, mel: Callable[..., NDArray[np.float32]] | None = None, path: Path | None = None
    ) -> None:
        """Loads the encoder.

        Args:
            model: The recogniser's model. Accepted and not used: it cannot give the layers the ear listens to.
            mel: faster_whisper's FeatureExtractor, if one is loaded already.
            path: Encoder file; ``None``: the one that ships.

        Raises:
            ModelMissing: There is no encoder file.
        """
        import onnxruntime

        if mel is None:
            from faster_whisper.feature_extractor import FeatureExtractor

            mel = FeatureExtractor()
        path = default_encoder() if path is None else path
        if not path.is_file():
            raise ModelMissing(f"no {path.name} in {path.parent}; make it with make ear")
        raw = path.read_bytes()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the most that any run ever took
        self._session: Any = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        self._mel = mel
        self.digest = hashlib.sha256(raw).hexdigest()

    @classmethod
    def load(cls, folder: Path | None = None) -> WhisperEncoder:
        """Loads ``encoder.onnx`` of ``folder``; ``None``: the one that ships."""
        return cls(path=None if folder is None else folder / "encoder.onnx")

    def encode(self, samples_16k: NDArray[np.float32]) -> NDArray[np.float32]:
        """States ``[frames of 20 ms, WIDTH]`` of an unpadded pass over 16 kHz samples, the first 10 s of them."""
        mel = np.asarray(self._mel(samples_16k, padding=0), np.float32)[:, : 2 * MAX_FRAMES]
        even = mel[:, : mel.shape[1] // 2 * 2]
        (states,) = self._session.run(["states"], {"mel": np.ascontiguousarray(even[None])})
        return np.asarray(states[0], np.float32)


def pool(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean and standard deviation over time: ``[frames, WIDTH]`` to ``[2 * WIDTH]``."""
    return np.concatenate([states.mean(axis=0), states.std(axis=0)]).astype(np.float32)
