"""The agent's own speech at every pace, from the rendered sound: rate, pauses, level, and whether it is understood.

Hears from: `voice.evaluation.dialogue`. Tells: the same, figures. Understood by the recogniser of the calls, after
G.711. Rates are those a call can have (`voice.conversation.pacing`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prosody.evaluation import Figure
from voice.conversation.pacing import BASE_WPM, CALM_FIRST, CEILING_WPM, FLOOR_WPM
from voice.engines.levels import RATE_HZ, active_level_db
from voice.engines.phonemes import spoken
from voice.engines.piper import PiperVoice, default_voice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer, pause_s
from voice.engines.transcription import WhisperTranscriber, load_transcriber
from voice.evaluation.transcription import phone_band, word_errors
from voice.playbooks import load, shipped

RATES_WPM = (FLOOR_WPM, round(BASE_WPM * CALM_FIRST), BASE_WPM, CEILING_WPM)
SENTENCES = 110
_LONG_ENOUGH = 8
"""Words: the level of a shorter one is that of a vowel or two."""
_COMMA_S = (0.25, 0.45)
FOR_THE_EAR = (
    "I have four five one nine for the order number.",
    "The amount of 42 dollars and 50 cents is in dispute.",
    "I have 3 May for the moving date. Is that right?",
    "It should arrive on Thursday, the 12th of June.",
    "I have Sam Jones for the name on the account.",
    "Please call 988 now if you can.",
)
"""Numbers, money, dates and names, as the agent reads them back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One text at one rate. ``total_s``: with the pause that the agent makes behind it."""

    text: str
    words: int
    heard: str
    total_s: float
    level_db: float
    commas_s: tuple[float, ...]


def figures(seed: int = 0) -> list[Figure]:
    """At each rate: what is measured of the sound, and the share of words the recogniser gets wrong."""
    pool = EnginePool(1)
    voice, ear = PiperSynthesizer(PiperVoice(default_voice()), pool), load_transcriber("default", pool)
    texts = [*FOR_THE_EAR, *sentences(seed)]
    return [f for rate in RATES_WPM for f in at(rate, [spoken_at(rate, text, voice, ear) for text in texts])]


def sentences(seed: int) -> list[str]:
    """Drawn from what the shipped playbooks say, without what is filled in only in a call."""
    books = [load(name) for name in shipped()]
    every = {text for book in books for text in book.spoken_texts().values() if "{" not in text}
    return random.Random(seed).sample(sorted(every), SENTENCES)  # noqa: S311 - which sentences, no secret


def spoken_at(rate_wpm: float, text: str, voice: PiperSynthesizer, ear: WhisperTranscriber) -> Spoken:
    """Renders ``text`` and listens to it over G.711."""
    samples = np.frombuffer(asyncio.run(voice.render(text, rate_wpm)), "<i2").astype(np.float32) / np.float32(32768)
    return Spoken(
        text=spoken(text),
        words=len(spoken(text).split()),
        heard=ear.recognise(phone_band(samples, RATE_HZ)).text,
        total_s=len(samples) / RATE_HZ + pause_s(text, rate_wpm),
        level_db=active_level_db(samples),
        commas_s=_commas_s(text, samples),
    )


def at(rate_wpm: float, said: Sequence[Spoken]) -> list[Figure]:
    """Figures of one rate. The pace is that of speech that goes on: words by time, every pause counted.

    The level's spread is that of 95 % of the sentences: the distance of the two extremes grows with their number.
    """
    wrong, interval = word_errors([(s.text, s.heard) for s in said])
    name, rate = f"pace_{rate_wpm:.0f}", 60 * sum(s.words for s in said) / sum(s.total_s for s in said)
    levels = [s.level_db for s in said if s.words >= _LONG_ENOUGH]
    commas = [c for s in said for c in s.commas_s]
    shortest, longest = np.percentile(commas, [5, 95])
    spread = float(np.subtract(*np.percentile(levels, [97.5, 2.5])))
    return [
        Figure(name=f"{name}/wer", value=wrong, unit="ratio", interval=interval, n=len(said), target="<= 0.05",
               met=wrong <= 0.05),
        Figure(name=f"{name}/rate", value=rate, unit="words/min", n=len(said), target=f"{rate_wpm:.0f} +- 8 %",
               met=abs(rate / rate_wpm - 1) <= 0.08),
        Figure(name=f"{name}/level_spread", value=spread, unit="dB", n=len(levels), target="<= 4", met=spread <= 4),
        Figure(name=f"{name}/level_extremes", value=float(np.ptp(levels)), unit="dB", n=len(levels)),
        Figure(name=f"{name}/comma_5", value=float(shortest), unit="s", n=len(commas), target=f">= {_COMMA_S[0]}",
               met=float(shortest) >= _COMMA_S[0]),
        Figure(name=f"{name}/comma_95", value=float(longest), unit="s", n=len(commas), target=f"<= {_COMMA_S[1]}",
               met=float(longest) <= _COMMA_S[1]),
    ]  # fmt: skip


def _commas_s(text: str, samples: NDArray[np.float32]) -> tuple[float, ...]:
    """Pauses at the commas of a single sentence [s]: of all its pauses the longest, as many as it has commas."""
    commas = text.count(",")
    if not commas or sum(text.count(mark) for mark in ".!?;:") != 1:
        return ()
    return tuple(sorted(pauses_s(samples))[-commas:])


def pauses_s(samples: NDArray[np.float32]) -> list[float]:
    """Stretches of at least 100 ms more than 30 dB under the loudest 10 ms, between speech [s]."""
    step = RATE_HZ // 100
    frames = samples[: len(samples) // step * step].reshape(-1, step).astype(np.float64)
    power = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    gaps = (np.diff(np.flatnonzero(power > power.max() - 30)) - 1) / 100
    return [float(g) for g in gaps if g >= 0.1]
