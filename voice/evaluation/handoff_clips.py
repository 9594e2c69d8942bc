"""What the telephones of the chaos run play: a few spoken sentences, and a tone each by which they know one another.

Hears from: flite. Tells: `voice.evaluation.handoff_people`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

from telephony.phone_audio import RATE_HZ
from voice.evaluation.spoken import speak

CALLER_HZ, HUMAN_HZ = 2900.0, 3300.0
"""Above most of speech, so that an introduction spoken over it hides neither."""
CALLER_TONE, HUMAN_TONE = 0.1, 0.05
"""Amplitudes. The human's lies under the spoken yes too: 13 dB below speech at -20 dBFS, and no voice detector's."""
TONE_S = 8.0
SPEECH_RMS = 0.1
LEAD_S = 0.6
"""The human's tone runs this long before the yes, so that the other end could hear it the moment both are joined."""
SENTENCES = {
    "gas": ("I can smell gas in the kitchen.", "rms"),
    "agree": ("Yes, please.", "rms"),
    "danger": ("I want to kill myself.", "rms"),
    "yes": ("Yes, please.", "slt"),
    "mailbox": ("You have reached the mailbox of Anna Smith. Yes, please leave a message after the tone.", "slt"),
}  # fmt: skip
"""Name → words and flite's voice: none is the agent's."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A recording. ``words_end_s``: from its first sample to the end of its last word."""

    path: Path
    words_end_s: float


def render(folder: Path) -> dict[str, Clip]:
    """Every clip by name, and ``caller_tone`` and ``human_tone``, which also lies under ``yes`` and goes on after it.

    Raises:
        UserError: flite is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sounds = {name: _words(text, voice) for name, (text, voice) in SENTENCES.items()}
    ends_s = {name: len(samples) / RATE_HZ for name, samples in sounds.items()}
    tone, start = sine(HUMAN_HZ, HUMAN_TONE, TONE_S), int(LEAD_S * RATE_HZ)
    with_yes = tone.copy()
    with_yes[start : start + len(sounds["yes"])] += sounds["yes"]
    ends_s["yes"] += LEAD_S
    sounds |= {"yes": with_yes, "human_tone": tone, "caller_tone": sine(CALLER_HZ, CALLER_TONE, TONE_S)}
    out = {}
    for name, samples in sounds.items():
        path = folder / f"{name}.wav"
        sf.write(str(path), samples, RATE_HZ, subtype="PCM_16")
        out[name] = Clip(path=path, words_end_s=ends_s.get(name, TONE_S))
    return out


def sine(hz: float, amplitude: float, seconds: float) -> Samples:
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def _words(text: str, voice: str) -> Samples:
    """Without the quiet around: the end of the file is the end of the word."""
    samples, rate_hz = speak(text, voice)
    at_8k = np.asarray(soxr.resample(samples, rate_hz, RATE_HZ), dtype=np.float32)
    loud = np.flatnonzero(np.abs(at_8k) > 0.01)
    words = at_8k[loud[0] : loud[-1] + 1]
    return np.asarray(words * np.float32(SPEECH_RMS / np.sqrt(np.mean(words**2))), dtype=np.float32)
