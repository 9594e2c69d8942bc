"""What comes into the agent's speech: words that must stop it, and sounds that must not. Each in two halves.

``held_out`` sounds are of other voices, words and instruments than those the rules were chosen by. Voices are
synthetic; none is the agent's. In brackets eSpeak's phonemes, for flite spells "mm-hm" out.

Hears from: flite, eSpeak NG, ``$WARMLINE_DATA/asr-eval``. Tells: `voice.evaluation.turns_stops`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from telephony.link_codec import RATE_HZ
from telephony.media.hold import hold_loop
from voice.evaluation.spoken import speak
from voice.evaluation.transcription import Utterance, phone_band
from voice.evaluation.turns_corpus import levels_db, span

Sound = NDArray[np.float32]

CALLER_DB = -23.0
"""A caller's active level [dBFS]: ITU-T G.168 and P.56 put telephone speech around −20 to −26."""
BACKGROUND_DB = -20.0
MARGIN_S = 0.12
"""Kept before and after the loud part of a word: the "s" of "stop" is 30 dB weaker than its vowel on a phone line."""

_BACKCHANNELS = {
    False: (
        ("okay", "slt"), ("okay", "rms"), ("right", "rms"), ("yeah", "slt"), ("I see", "rms"), ("yes", "slt"),
        ("sure", "rms"), ("oh okay", "slt"), ("uh huh", "slt"), ("[[m'hm]]", "espeak"), ("[[@h'V]]", "espeak"),
    ),
    True: (
        ("okay", "awb"), ("okay", "espeak:en-gb+f2"), ("right", "kal16"), ("yeah", "espeak:en-us+m3"), ("I see", "awb"),
        ("yes", "kal16"), ("sure", "awb"), ("oh okay", "kal16"), ("uh huh", "awb"), ("got it", "kal16"),
        ("great", "awb"), ("all right", "espeak:en-gb+f2"), ("good", "kal16"), ("oh", "awb"),
        ("hmm", "espeak:en-us+m3"), ("[[m'hm]]", "espeak:en-gb+f2"), ("[[@h'V]]", "espeak:en-us+m3"),
    ),
}  # fmt: skip
_SHORT = {
    False: ("wait", "stop", "no", "hold on", "excuse me", "hello", "sorry", "a person please"),
    True: ("wait", "stop", "no", "hold on", "excuse me", "hello", "sorry", "hang on", "stop it", "please stop"),
}
"""One or two words that must stop the agent."""
_VOICES = {False: ("slt", "rms"), True: ("awb", "kal16", "espeak:en-gb+f2", "espeak:en-us+m3")}


def at_level(samples: Sound, db: float) -> Sound:
    """Scaled so that its speech (10 ms frames within 26 dB of the loudest) has this level [dBFS]."""
    level = levels_db(samples)
    active = level[level > level.max() - 26]
    now = 10 * np.log10(np.mean(10 ** (active / 10)))
    return np.asarray(samples * 10 ** ((db - now) / 20), np.float32)


def callers(data: Sequence[Utterance], n: int) -> Iterator[Sound]:
    """Sentences at a caller's level, beginning 50 ms before their first sound."""
    for u in list(data)[:n]:
        first, last = span(u.samples)
        yield at_level(u.samples[max(0, first - RATE_HZ // 20) : last], CALLER_DB)


def backchannels(*, held_out: bool) -> list[Sound]:
    """As loud as a caller."""
    return [_said(words, voice) for words, voice in _BACKCHANNELS[held_out]]


def short(*, held_out: bool) -> list[tuple[str, Sound]]:
    """Words that must stop the agent, each with the quiet after it in which it is decided."""
    quiet = np.zeros(RATE_HZ, np.float32)
    return [
        (words, np.concatenate([_said(words, voice), quiet]))
        for words in _SHORT[held_out]
        for voice in _VOICES[held_out]
    ]


def background(data: Sequence[Utterance], *, held_out: bool) -> list[Sound]:
    """Other people's sentences, 20 dB below the caller."""
    return [at_level(u.samples, CALLER_DB + BACKGROUND_DB) for u in data if u.held_out == held_out]


def music(*, held_out: bool) -> list[Sound]:
    """Somebody else's hold music on the caller's side, as loud as a caller; synthetic, for want of free recordings."""
    if held_out:
        tunes = [_tune(seed, voiced=seed % 2 == 0) for seed in (3, 4, 5, 6)]
    else:
        tunes = [(np.frombuffer(hold_loop(), "<i2") / 32768).astype(np.float32), _tune(1, voiced=False)]
    return [at_level(phone_band(tune, RATE_HZ), CALLER_DB) for tune in tunes]


def _said(words: str, voice: str) -> Sound:
    sound = phone_band(*speak(words, voice))
    first, last = span(sound)
    margin = round(MARGIN_S * RATE_HZ)
    return at_level(sound[max(0, first - margin) : last + margin], CALLER_DB)


def _tune(seed: int, *, voiced: bool, seconds: float = 8.0) -> Sound:
    """A melody over bass and a beat. ``voiced``: sung (a buzz with vibrato through two formants), else plucked."""
    rng = np.random.default_rng(seed)
    scale_hz = 220.0 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    n, beat = round(seconds * RATE_HZ), round(RATE_HZ * float(rng.uniform(0.22, 0.4)))
    out = np.zeros(n)
    for k, at in enumerate(range(0, n - 1, beat)):
        length = min(2 * beat, n - at)
        t = np.arange(length) / RATE_HZ
        hz = float(rng.choice(scale_hz))
        phase = 2 * np.pi * hz * t + (0.8 * np.sin(2 * np.pi * 5.5 * t) if voiced else 0.0)
        note = sum(np.sin(h * phase) / h for h in range(1, 8))
        note = note * (np.minimum(1, t / 0.05) * np.exp(-t / 0.5) if voiced else np.exp(-t / 0.2))
        if voiced:
            for formant_hz in rng.uniform((500, 1000), (900, 2000)):
                r, w = 0.95, 2 * np.pi * formant_hz / RATE_HZ
                note = lfilter([1 - r], [1, -2 * r * np.cos(w), r * r], note)
        out[at : at + length] += note / (np.abs(note).max() + 1e-9)
        out[at : at + length] += 0.5 * np.sin(2 * np.pi * scale_hz[k // 4 % 3] / 2 * t) * np.exp(-t / 0.4)
        out[at : at + length] += 0.3 * rng.standard_normal(length) * np.exp(-t / (0.02 if k % 2 else 0.05))
    return (0.1 * out).astype(np.float32)
