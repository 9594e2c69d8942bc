"""An answer that is late: what the caller hears meanwhile, in the agent's own voice, timed in the sound of the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from telephony.facts import SpeechStarted, SpeechStopped, Transcribed
from telephony.settings import Settings
from tests.call.virtual_call import VirtualCall
from voice import playbooks
from voice.conversation.prompts import prompts
from voice.engines.piper import PiperVoice, default_voice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import WhisperTranscriber, load_transcriber
from voice.pipeline.prompts import render_prompts

Make = Callable[..., VirtualCall]
SPOKEN = np.full(160, 3000, "<i2").tobytes()
QUIET_DB = -50.0
FRAME_S = 0.02


@pytest.fixture
def pool() -> Iterator[EnginePool]:
    pool = EnginePool(1)
    yield pool
    pool.close()


@pytest.fixture
def ear(pool: EnginePool) -> WhisperTranscriber:
    return load_transcriber("default", pool)


def samples(frames: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(frames), "<i2").astype(np.float32) / 32768


def first_sound_s(frames: list[bytes]) -> float:
    power = np.mean(samples(frames).reshape(-1, 160) ** 2, axis=1)
    return float(np.flatnonzero(power > 10 ** (QUIET_DB / 10))[0]) * FRAME_S


@pytest.mark.parametrize("taken_after_s", [0.3, 0.5])
async def test_when_an_answer_is_late_the_caller_hears_so_within_1200_ms(
    make: Make, tmp_path: Path, pool: EnginePool, ear: WhisperTranscriber, taken_after_s: float
) -> None:
    """``taken_after_s``: from the caller's last sound to the words, as on a quiet machine."""
    voice = PiperSynthesizer(PiperVoice(default_voice()), pool)
    text = prompts(Settings(), playbooks.load("default"))["please_wait"]
    files = await render_prompts({"please_wait": text}, voice, tmp_path / "rendered")
    v = make()
    v.prompts.load(files)
    v.caller_presses("5")
    v.until("Disclosed")
    v.run(0.5)
    v.speech = SPOKEN
    began = v.call.t
    v.states(SpeechStarted(leg="caller", at=began))
    v.run(1.0)
    v.speech = bytes(320)
    ended, heard_from = v.call.t, len(v.line.heard)
    v.states(SpeechStopped(leg="caller", at=ended))
    v.run(taken_after_s)
    v.states(Transcribed(leg="caller", start=began, end=ended, text="Where is my order?"))
    v.until("Said", prompt="please_wait")
    frames = v.line.heard[heard_from:]
    assert first_sound_s(frames) <= 1.2
    understood = ear.recognise(samples(frames)).text.lower()
    assert "moment" in understood
