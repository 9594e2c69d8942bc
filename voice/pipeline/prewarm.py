"""Fixed sentences made ahead of time, while no call is up: two thirds of a call's CPU is synthesis.

Hears from: `voice.worker`. Tells: synthesis's cache, in memory and on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from voice.engines.phonemes import spoken
from voice.engines.synthesis import PiperSynthesizer, pieces
from voice.errors import EngineError

log = structlog.get_logger(__name__)

RATES_WPM = (165.0, 150.0)
"""The base rate and the calm one."""
OPENER_RATES_WPM = (160.0, 170.0, 155.0, 175.0, 180.0, 145.0)
"""An agent that follows its caller's pace speaks at these too (`voice.conversation.pacing`). Only the first words are
made ahead: nobody waits for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A part of a sentence at one rate."""

    part: str
    rate_wpm: float


def fixed(sentences: Iterable[str]) -> list[Phrase]:
    """What synthesis cuts sentences into that name nothing of a caller, each once, the likeliest rates first."""
    cut = [pieces(spoken(s)) for s in sentences if "{" not in s]
    parts = dict.fromkeys(p for sentence in cut for p in sentence)
    openers = dict.fromkeys(sentence[0] for sentence in cut if sentence)
    whole = [Phrase(part=p, rate_wpm=r) for r in RATES_WPM for p in parts]
    return whole + [Phrase(part=p, rate_wpm=r) for r in OPENER_RATES_WPM for p in openers]


async def prewarm(phrases: Sequence[Phrase], synthesizer: PiperSynthesizer, quiet: asyncio.Event) -> None:
    """Makes every phrase, one at a time, and only while no call is up."""
    for phrase in phrases:
        await quiet.wait()
        try:
            await synthesizer.keep(phrase.part, phrase.rate_wpm)
        except (EngineError, OSError) as exc:
            log.warning("no phrases made ahead", error=type(exc).__name__)
            return
