"""Talk around a caller that is as loud as they are: is the caller asked again, answered by invention, or left?

Sentences amid babble at 0 dB, which goes on when the caller has finished. At that level no detector finds the end of a
sentence and no recogniser its words; what can be asked for is that the agent says so, soon, and makes nothing up.

Hears from: `voice.evaluation.turns_corpus`. Tells: `voice.evaluation.turns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from prosody.evaluation import Figure
from telephony.facts import Transcribed
from telephony.link_codec import RATE_HZ
from voice.evaluation.transcription import Utterance
from voice.evaluation.turns_corpus import Sound, span
from voice.evaluation.turns_sounds import CALLER_DB, at_level
from voice.evaluation.virtual_line import Line, Models

SNR_DB = 0.0
BEFORE_S, AFTER_S = 0.5, 8.0
"""Babble alone; after it the caller has heard nothing for longer than the first prompt of a silent line is away."""
_STEP = 20011
"""Samples the babble is moved by from one sentence to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amid:
    """``answered``: words were taken for the caller's. ``asked_s``: from the last sound to the first "say it again"."""

    answered: bool
    asked_s: float | None
    held_out: bool


def sentences_amid(spoken: Sequence[Utterance], babble: Sound) -> Iterator[tuple[Sound, float, bool]]:
    """Sound, end of the caller's own, whether the speaker is held out."""
    for k, u in enumerate(spoken):
        first, last = span(u.samples)
        speech = at_level(u.samples[first:last], CALLER_DB)
        quiet = [np.zeros(round(s * RATE_HZ), np.float32) for s in (BEFORE_S, AFTER_S)]
        sound = np.concatenate([quiet[0], speech, quiet[1]])
        noise = np.resize(np.roll(babble, -k * _STEP), len(sound))
        noise *= np.sqrt(np.mean(speech**2) / np.mean(noise**2)) * 10 ** (-SNR_DB / 20)
        yield (sound + noise).astype(np.float32), BEFORE_S + len(speech) / RATE_HZ, u.held_out


async def run(models: Models, sound: Sound, end_s: float, held_out: bool) -> Amid:
    """One sentence on a line of its own."""
    line = Line(models)
    await line.hear(sound)
    line.leg.close()
    heard = [(t, fact) for t, fact in line.facts if isinstance(fact, Transcribed) and fact.final]
    asked = [t for t, fact in heard if fact.refused and t >= end_s]
    return Amid(
        answered=any(fact.text for _, fact in heard), asked_s=asked[0] - end_s if asked else None, held_out=held_out
    )


def figures(amid: Sequence[Amid]) -> list[Figure]:
    """``_tuned``: of the speakers that rules were chosen by; without it, of the others."""
    out = []
    for suffix, held_out in (("", True), ("_tuned", False)):
        part = [a for a in amid if a.held_out == held_out]
        asked = [a.asked_s for a in part if a.asked_s is not None]
        if not asked:
            continue
        n, answered = len(part), 100 * sum(a.answered for a in part) / len(part)
        out += [
            Figure(
                name=f"amid_0_db_answered_per_100{suffix}", value=answered, unit="sentences", interval=None, n=n,
                target="<= 1", met=answered <= 1.0,
            ),
            _figure(f"amid_0_db_asked_again_per_100{suffix}", 100 * len(asked) / n, "sentences", n),
            _figure(f"amid_0_db_asked_after_p50_ms{suffix}", 1000 * float(np.median(asked)), "ms", len(asked)),
        ]  # fmt: skip
    return out


def _figure(name: str, value: float, unit: str, n: int) -> Figure:
    return Figure(name=name, value=value, unit=unit, interval=None, n=n, target=None, met=None)
