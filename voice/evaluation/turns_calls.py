"""Turns as callers take them on calls: the scripted dialogues' sentences and answers, with pauses at their commas.

Next to sentences that were read aloud, which are longer and end less clearly: what a call holds are "Where is my
order?" and "it's four five one nine". Voices are synthetic and none is the agent's; each part between two commas is
spoken by itself, so that it ends as if nothing came after it. Pauses are log-normal, half of them below 0.5 s (E.
Campione and J. Véronis, "A large-scale multilingual study of silent pause duration", Speech Prosody 2002: read speech
0.1-0.6 s, spontaneous speech beyond 1 s as well).

Hears from: `voice.evaluation.scripts`, flite. Tells: `voice.evaluation.turns_corpus`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import numpy as np

from voice.conversation.patience import Expectation
from voice.evaluation.scripts import Script, scripts
from voice.evaluation.spoken import speak
from voice.evaluation.transcription import phone_band
from voice.evaluation.turns_corpus import SNRS_DB, Sound, Turn, framed, noisy
from voice.playbooks import load

MEDIAN_S, SIGMA, RANGE_S = 0.5, 0.5, (0.15, 1.5)
_HALVES = ((False, "seen", ("slt", "rms")), (True, "unseen", ("awb", "kal16")))
"""Held out or not, dialogues, voices."""
_DIGITS = ("digits", "phone", "postcode")
_EXPECTS: dict[str, Literal["amount", "date", "name"]] = {
    "amount": "amount", "date": "date", "name": "name", "text": "name",
}  # fmt: skip


def noisy_calls(babble: Sound, seed: int) -> list[Turn]:
    """A third each clean, and under babble at 20 and 10 dB."""
    turns = calls(np.random.default_rng(seed))
    return [noisy(turn, SNRS_DB[k % len(SNRS_DB)], babble, k) for k, turn in enumerate(turns)]


def calls(rng: np.random.Generator) -> Iterator[Turn]:
    """One turn after another, of both halves."""
    for held_out, name, voices in _HALVES:
        said = sorted({turn for script in scripts([name]) for turn in _turns(script)}, key=str)
        for k, (text, expectation) in enumerate(said):
            voice = voices[k % len(voices)]
            parts = [phone_band(*speak(part, voice)) for part in re.split(r"(?<=,)\s+", text)]
            gaps_s = [float(np.clip(rng.lognormal(np.log(MEDIAN_S), SIGMA), *RANGE_S)) for _ in parts[1:]]
            yield framed("call", parts, gaps_s, text, held_out=held_out, expectation=expectation)


def _turns(script: Script) -> Iterator[tuple[str, Expectation]]:
    slots = load(script.playbook).slots
    for text in (script.opening, *script.then):
        if text.strip():
            yield text, Expectation()
    for name, text in script.answers.items():
        if text.strip() and name in slots:
            slot = slots[name]
            digits = 5 if slot.kind == "postcode" else slot.max
            yield (
                text,
                (
                    Expectation(expects="digits", digits=digits)
                    if slot.kind in _DIGITS
                    else Expectation(expects=_EXPECTS.get(slot.kind))
                ),
            )
