"""The agent's pace beside a caller's, both as they sound: real ear, real voice, the call's own time."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np
import pytest

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from telephony.commands import StartTurn
from telephony.facts import ProsodyMeasured, Said
from telephony.settings import Settings
from tests.call.worker.conftest import Call, Gateway
from voice.conversation.pacing import BASE_WPM, STEP_WPM
from voice.engines.phrases import PhraseCache
from voice.engines.synthesis import PiperSynthesizer
from voice.pipeline.engines import Engines

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKS = "I would like to know where my order is, because it has been two weeks now, and nobody has told me anything."
REFERENCE = (
    "I can see your order here. It left our warehouse yesterday, and it should arrive on Thursday. A colleague can "
    "look into it as well, and you won't need to repeat yourself. Shall I bring one in?"
)


async def speak(gateway: Gateway, text: str, rate_wpm: float) -> None:
    """The caller says it at that rate, and the agent answers."""
    before = len(gateway.of(Said))
    gateway.hear_caller(await gateway.engines.synthesizer.render(text, rate_wpm))
    await gateway.until(lambda: len(gateway.of(Said)) > before and gateway.quiet)


async def heard_wpm(synthesizer: PiperSynthesizer, rate_wpm: float) -> float:
    """Pace of a long sentence as it sounds: the mean of two renderings, which Piper never makes alike."""
    seconds = []
    for _ in range(2):
        synthesizer._cache = PhraseCache()
        seconds.append(len(await synthesizer.render(REFERENCE, rate_wpm)) / 2 / 8000)
    return 60 * len(REFERENCE.split()) / float(np.mean(seconds))


async def test_begins_near_a_slow_caller_and_then_changes_by_small_steps(call: Call, engines: Engines) -> None:
    settings = Settings(privacy={"analyse_emotion": True}, store={"dir": "."})  # type: ignore[arg-type]
    ear = await asyncio.to_thread(Ear.load, "open", WhisperEncoder(engines.transcriber.model))  # type: ignore[attr-defined]
    gateway = await call(settings=settings, engines=dataclasses.replace(engines, ear=ear))
    await gateway.until(lambda: len(gateway.of(Said)) == 1)
    for text in (ASKS, "My order number is four, five, one, nine.", "Yes, that is right."):
        await speak(gateway, text, 130.0)
    assert len(gateway.of(ProsodyMeasured)) >= 3
    rates = [c.rate_wpm for _, c in gateway.commands if isinstance(c, StartTurn)]
    assert rates[0] == BASE_WPM
    assert rates[1] < BASE_WPM - STEP_WPM
    assert all(abs(b - a) <= STEP_WPM + 0.1 for a, b in zip(rates[1:], rates[2:], strict=False))


async def test_a_step_of_the_pace_is_heard_and_is_no_more_than_four_percent(engines: Engines) -> None:
    paces = [await heard_wpm(engines.synthesizer, rate) for rate in (165.0, 160.0, 155.0)]
    steps = [1 - b / a for a, b in zip(paces, paces[1:], strict=False)]
    assert all(-0.005 < step <= 0.055 for step in steps), steps
    assert np.mean(steps) == pytest.approx(0.031, abs=0.012)
