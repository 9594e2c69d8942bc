"""Fixed sentences made ahead of time, while no call is up: two thirds of a call's CPU is synthesis.

Hears from: `voice.worker`. Tells: synthesis's cache, in memory and on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from voice.engines.phonemes import spoken
from voice.engines.synthesis import PiperSynthesizer, pieces
from voice.errors import EngineError

log = structlog.get_logger(__name__)

RATES_WPM = (165.0, 150.0)
"""The base rate and the calm one; a rate that follows the caller in between is made when it is said."""


def fixed(sentences: Iterable[str]) -> list[str]:
    """The parts of sentences that name nothing of a caller, as synthesis cuts them; each once."""
    parts = (piece for s in sentences for piece in pieces(spoken(s)) if "{" not in s)
    return list(dict.fromkeys(parts))


async def prewarm(parts: Sequence[str], synthesizer: PiperSynthesizer, quiet: asyncio.Event) -> None:
    """Makes every part at every rate, one at a time, and only while no call is up."""
    for rate_wpm in RATES_WPM:
        for part in parts:
            await quiet.wait()
            try:
                await synthesizer.keep(part, rate_wpm)
            except (EngineError, OSError) as exc:
                log.warning("no phrases made ahead", error=type(exc).__name__)
                return
