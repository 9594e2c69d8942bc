"""The agent's pace beside a caller's, both as they sound: real ear, real voice, the call's own time."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from telephony.commands import StartTurn
from telephony.facts import ProsodyMeasured, Said
from telephony.settings import Settings
from tests.call.worker.conftest import Call, Gateway
from voice.conversation.pacing import BASE_WPM, STEP_WPM
from voice.engines.phonemes import spoken
from voice.engines.synthesis import pause_s
from voice.pipeline.engines import Engines

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKS = "I would like to know where my order is, because it has been two weeks now, and nobody has told me anything."


async def speak(gateway: Gateway, text: str, rate_wpm: float) -> None:
    """The caller says it at that rate, and the agent answers."""
    before = len(gateway.of(Said))
    gateway.hear_caller(await gateway.engines.synthesizer.render(text, rate_wpm))
    await gateway.until(lambda: len(gateway.of(Said)) > before and gateway.quiet)


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
    # What was played, first sound to last, against what was asked for; the pause behind each turn is not in it.
    said = [f for f in gateway.of(Said) if isinstance(f, Said) and f.text]
    heard_s = sum(f.end - f.start + pause_s(f.text, f.rate_wpm or BASE_WPM) for f in said)
    asked_s = sum(60 * len(spoken(f.text).split()) / (f.rate_wpm or BASE_WPM) for f in said)
    assert heard_s == pytest.approx(asked_s, rel=0.15)
