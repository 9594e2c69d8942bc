"""What is left of a sentence after a telephone line: another voice, G.711, noise, lost packets, our recogniser.

Hears from: `voice.evaluation.dialogue`. Tells: the same, a `Transcribed`.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from telephony.facts import Transcribed
from voice.engines.transcription import RATE_HZ, WhisperTranscriber
from voice.errors import UserError
from voice.evaluation.transcription import phone_band

_PACKET = RATE_HZ // 50
_VOICES = ("slt", "rms", "awb", "espeak")
"""Flite's clear American voices, one Scottish, and eSpeak NG's formant voice: none is the agent's."""


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
        return Transcribed(leg="caller", start=0.0, end=len(sound) / RATE_HZ, text=found.text, log_prob=found.log_prob,
                           no_speech=found.no_speech, alternatives=found.alternatives)  # fmt: skip

    def line(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Noise with the speech's own long-term spectrum at ``snr_db`` below its active level, then packet loss."""
        rng = np.random.default_rng(self.seed)
        out = sound.copy()
        if self.snr_db is not None:
            phases = np.exp(2j * np.pi * rng.random(len(out) // 2 + 1))
            noise = np.fft.irfft(np.abs(np.fft.rfft(out)) * phases, len(out)).astype(np.float32)
            active = np.sqrt(np.mean(out[np.abs(out) > 0.02] ** 2)) if np.any(np.abs(out) > 0.02) else 0.05
            out += noise * np.float32(active / (np.std(noise) * 10 ** (self.snr_db / 20)))
        for k in np.flatnonzero(rng.random(len(out) // _PACKET) < self.loss):
            if k:
                out[k * _PACKET : (k + 1) * _PACKET] = 0.7 * out[(k - 1) * _PACKET : k * _PACKET]
        return out


def voice_of(number: int) -> str:
    return _VOICES[number % len(_VOICES)]


def speak(text: str, voice: str) -> tuple[NDArray[np.float32], int]:
    """Samples and their rate [Hz], with 0.3 s of quiet around.

    Raises:
        UserError: flite or espeak-ng is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "-t", text, "-o", str(wav)]
        if voice == "espeak":
            command = ["espeak-ng", "-v", "en-us", "-s", "150", "-w", str(wav), text]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        except FileNotFoundError as exc:
            raise UserError(f"{command[0]} is not installed; apt install flite espeak-ng") from exc
        samples, rate = soundfile.read(wav, dtype="float32")
    quiet = np.zeros(int(0.3 * rate), dtype=np.float32)
    return np.concatenate([quiet, 0.3 * samples / (np.abs(samples).max() + 1e-9), quiet]), rate
