"""What is left of a sentence after a telephone line: another voice, G.711, noise, lost packets, our recogniser.

Hears from: `voice.evaluation.dialogue`. Tells: the same, a `Transcribed`.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from telephony.facts import Transcribed
from voice.engines.transcription import RATE_HZ, WhisperTranscriber
from voice.errors import UserError
from voice.evaluation.speech_level import active_level_db
from voice.evaluation.transcription import phone_band

_PACKET = RATE_HZ // 50
VOICES = ("heart", "rms")
"""A woman and a man, understood like people are: word errors of `voice.evaluation.callers` within the interval of human
readers of the same sentences. Neither is the agent's."""
WORST = ("slt", "awb", "espeak")
"""Understood worse than any human reader there; eSpeak NG's formant voice ten times worse."""


@dataclass(slots=True, kw_only=True)
class PhoneLine:
    """``snr_db`` None: quiet. ``loss``: share of 20 ms packets lost and filled by the one before."""

    engine: WhisperTranscriber
    voice: str
    snr_db: float | None
    loss: float
    seed: int = 0

    def hear(self, said: str, expects: str | None = None) -> Transcribed | None:
        """The sentence as recognised. As on a call: an unsure one has no text, what is taken for no speech is none."""
        self.seed += 1
        sound = self.line(phone_band(*speak(said, self.voice)))
        found = self.engine.recognise(sound, expects=expects)
        if found.rejected == "no speech":
            return None
        return Transcribed(
            leg="caller", start=0.0, end=len(sound) / RATE_HZ, text=found.text, log_prob=found.log_prob,
            no_speech=found.no_speech, alternatives=found.alternatives, refused=found.rejected,
        )  # fmt: skip

    def line(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Noise with the speech's own long-term spectrum at ``snr_db`` below its level (P.56), then packet loss."""
        rng = np.random.default_rng(self.seed)
        out = sound.copy()
        if self.snr_db is not None:
            phases = np.exp(2j * np.pi * rng.random(len(out) // 2 + 1))
            noise = np.fft.irfft(np.abs(np.fft.rfft(out)) * phases, len(out)).astype(np.float32)
            active = 10 ** (max(-60.0, active_level_db(out, RATE_HZ)) / 20)
            out += noise * np.float32(active / (np.std(noise) * 10 ** (self.snr_db / 20) + 1e-12))
        for k in np.flatnonzero(rng.random(len(out) // _PACKET) < self.loss):
            if k:
                out[k * _PACKET : (k + 1) * _PACKET] = 0.7 * out[(k - 1) * _PACKET : k * _PACKET]
        return out


def voice_of(number: int, voices: Sequence[str] = VOICES) -> str:
    return voices[number % len(voices)]


def speak(text: str, voice: str) -> tuple[NDArray[np.float32], int]:
    """Samples and their rate [Hz], with 0.3 s of quiet around.

    Args:
        text: What is said; eSpeak also takes its phonemes in ``[[...]]``.
        voice: "heart", one of flite's, "espeak", or "espeak:" and the name of one of its voices.

    Raises:
        UserError: The voice is not installed.
    """
    samples, rate = _heart(text) if voice == "heart" else _by_program(text, voice)
    quiet = np.zeros(int(0.3 * rate), dtype=np.float32)
    return np.concatenate([quiet, 0.3 * samples / (np.abs(samples).max() + 1e-9), quiet]), rate


def _by_program(text: str, voice: str) -> tuple[NDArray[np.float32], int]:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "-t", text, "-o", str(wav)]
        if voice.startswith("espeak"):
            command = ["espeak-ng", "-v", voice.partition(":")[2] or "en-us", "-s", "150", "-w", str(wav), text]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        except FileNotFoundError as exc:
            raise UserError(f"{command[0]} is not installed; apt install flite espeak-ng") from exc
        samples, rate = soundfile.read(wav, dtype="float32")
        return samples, rate


@cache
def _hibari() -> Any:
    try:
        from hibari import Hibari
    except ImportError as exc:
        raise UserError("hibari-tts, a caller's voice, is not installed; uv pip install 'warmline[train]'") from exc
    return Hibari()


def _heart(text: str) -> tuple[NDArray[np.float32], int]:
    """A small network's American woman; the same sound every time."""
    return np.asarray(_hibari()(text, seed=0), dtype=np.float32).ravel(), 24000
