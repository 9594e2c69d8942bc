"""The agent's own speech at every pace, from the rendered sound: rate, level, and whether it is understood.

Hears from: `voice.evaluation.dialogue`. Tells: the same, figures. Understood by the recogniser of the calls, after
G.711. Rates are those a call can have (`voice.conversation.pacing`).
"""

from __future__ import annotations

import asyncio

import numpy as np
from numpy.typing import NDArray

from prosody.evaluation import Figure
from voice.conversation.pacing import BASE_WPM, CALM_FIRST, CEILING_WPM, FLOOR_WPM
from voice.engines.levels import RATE_HZ, active_level_db
from voice.engines.phonemes import spoken
from voice.engines.piper import PiperVoice, default_voice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import WhisperTranscriber, load_transcriber, speech_span
from voice.evaluation.transcription import phone_band, word_errors
from voice.playbooks import load

RATES_WPM = (FLOOR_WPM, round(BASE_WPM * CALM_FIRST), BASE_WPM, CEILING_WPM)
_EVERY = 6
_LONG_ENOUGH = 8
"""Words: shorter sentences are mostly pause, their rate says nothing."""
FOR_THE_EAR = (
    "I have four five one nine for the order number.",
    "The amount of 42 dollars and 50 cents is in dispute.",
    "I have 3 May for the moving date. Is that right?",
    "It should arrive on Thursday, the 12th of June.",
    "I have Sam Jones for the name on the account.",
    "Please call 988 now if you can.",
)
"""Numbers, money, dates and names, as the agent reads them back."""


def figures() -> list[Figure]:
    """At each rate: what is measured of the sound, and the share of words the recogniser gets wrong."""
    pool = EnginePool(1)
    voice, ear = PiperSynthesizer(PiperVoice(default_voice()), pool), load_transcriber("default", pool)
    texts = [*FOR_THE_EAR, *_sentences()]
    return [f for rate in RATES_WPM for f in _at(rate, texts, voice, ear)]


def _sentences() -> list[str]:
    every = [text for name in ("default", "utility") for text in load(name).spoken_texts().values() if "{" not in text]
    return sorted(set(every))[::_EVERY]


def _at(rate_wpm: float, texts: list[str], voice: PiperSynthesizer, ear: WhisperTranscriber) -> list[Figure]:
    heard, rates, levels = [], [], []
    for text in texts:
        pcm = asyncio.run(voice.render(text, rate_wpm))
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        heard.append((spoken(text), ear.recognise(phone_band(samples, RATE_HZ)).text))
        words = len(spoken(text).split())
        if words >= _LONG_ENOUGH:
            rates.append(60 * words / spoken_s(samples))
            levels.append(active_level_db(samples))
    wrong, interval = word_errors(heard)
    name, rate = f"pace_{rate_wpm:.0f}", float(np.median(rates))
    return [
        Figure(name=f"{name}/wer", value=wrong, unit="ratio", interval=interval, n=len(heard), target="<= 0.05",
               met=wrong <= 0.05),
        Figure(name=f"{name}/rate", value=rate, unit="words/min", interval=None, n=len(rates),
               target=f"{rate_wpm:.0f} +- 8 %", met=abs(rate / rate_wpm - 1) <= 0.08),
        Figure(name=f"{name}/level_spread", value=float(np.ptp(levels)), unit="dB", interval=None, n=len(levels),
               target="<= 4", met=float(np.ptp(levels)) <= 4),
    ]  # fmt: skip


def spoken_s(samples: NDArray[np.float32]) -> float:
    """From the first sound to the last [s]."""
    start, end = speech_span(samples)
    return end - start
