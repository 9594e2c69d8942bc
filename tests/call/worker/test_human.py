"""The human through the real pipeline: never scored, however angry; answered when a detail is asked for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from telephony.commands import StartTurn, UploadPrompt
from telephony.facts import (
    ConsentHeard,
    EmotionScored,
    HandoffRequested,
    HandoffState,
    IntentRecognised,
    ProsodyMeasured,
    Said,
    SlotFilled,
    SpeechStarted,
)
from telephony.settings import Settings
from tests.call.worker.conftest import Call, Gateway
from voice.pipeline.engines import Engines

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANGRY = sorted((Path(__file__).parents[2] / "data" / "emodb").glob("*W?.flac"))


def angry_pcm() -> bytes:
    """Two acted angry sentences at telephone rate, with a rest after each."""
    pieces = []
    for path in ANGRY:
        sound, rate_hz = sf.read(path, dtype="float32")
        pieces += [soxr.resample(sound, rate_hz, 8000), np.zeros(8000, np.float32)]
    return (np.concatenate(pieces) * 30000).clip(-32768, 32767).astype("<i2").tobytes()


async def with_ear(call: Call, engines: Engines) -> Gateway:
    settings = Settings(privacy={"analyse_emotion": True}, store={"dir": "."})  # type: ignore[arg-type]
    ear = Ear.load("open", WhisperEncoder(engines.transcriber.model))  # type: ignore[attr-defined]
    gateway = await call(settings=settings, engines=dataclasses.replace(engines, ear=ear))
    await gateway.until(lambda: bool(gateway.of(Said)))
    return gateway


async def test_an_angry_human_is_heard_and_never_scored(call: Call, engines: Engines) -> None:
    assert len(ANGRY) == 2
    gateway = await with_ear(call, engines)
    gateway.hear_caller(angry_pcm())
    await gateway.until(lambda: bool(gateway.of(EmotionScored)))
    await gateway.run(8.0)
    assert gateway.of(ProsodyMeasured), "the same sound from the caller is scored: so this test can fail"

    other = await with_ear(call, engines)
    await other.listen_to_human(True)
    other.hear_human(angry_pcm())
    await other.run(8.0)
    assert {f.leg for f in other.of(SpeechStarted) if isinstance(f, SpeechStarted)} == {"human"}, "it was heard"
    assert not other.of(EmotionScored)
    assert not other.of(ProsodyMeasured)


async def test_a_detail_is_answered_to_the_human_alone_and_only_after_consent(gateway: Gateway) -> None:
    await gateway.until(lambda: bool(gateway.of(Said)))
    gateway.emit(IntentRecognised(intent="order_status", confidence=0.9, start=1.0, end=2.0))
    gateway.emit(SlotFilled(name="order_number", value="4519", confidence=0.9, start=3.0, end=4.0))
    gateway.emit(HandoffRequested(reason="request"))
    for state in ("HOLDING", "DIALLING", "ANSWERED", "SCREENING"):
        gateway.emit(HandoffState(state=state, target="h1"))  # type: ignore[arg-type]
    await gateway.listen_to_human(True)
    turns = len(gateway.texts())
    await gateway.human_says("What was the order number?")
    await gateway.until(lambda: bool(gateway.of(ConsentHeard)))
    await gateway.run(1.0)

    def answers() -> list[UploadPrompt]:
        return [c for _, c in gateway.commands if isinstance(c, UploadPrompt) and c.name == "answer"]

    assert not answers(), "nothing of the caller before consent"
    gateway.emit(HandoffState(state="BRIEFING", target="h1"))
    await gateway.human_says("What was the order number again?")
    await gateway.until(lambda: bool(answers()))
    assert answers()[0].text == "The order number is four five one nine."
    assert {f.intent for f in gateway.of(ConsentHeard) if isinstance(f, ConsentHeard)} == {"other"}
    assert len([c for _, c in gateway.commands if isinstance(c, StartTurn)]) == turns, "the caller hears nothing"
