"""A caller who says nothing: prompts at 5, 10 and 20 s, through music or the talk of others on the caller's side."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.facts import HandoffRequested, Said, SpeechStarted, Transcribed
from telephony.media.hold import hold_loop
from tests.call.worker.conftest import Gateway
from tests.unit.voice.engines.conftest import clip
from voice.evaluation.turns_sounds import at_level

pytestmark = pytest.mark.asyncio(loop_scope="session")


def pcm(samples: NDArray[np.float32]) -> bytes:
    return np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes()


def said(gateway: Gateway) -> list[Said]:
    return [f for f in gateway.of(Said) if isinstance(f, Said)]


async def prompts_come_in_time(gateway: Gateway, since_s: float) -> None:
    """Gentle, choice, person: each counted from the end of what was said last."""
    n = len(said(gateway))
    await gateway.until(lambda: bool(gateway.of(HandoffRequested)), at_most_s=45.0)
    gentle, choice = said(gateway)[n : n + 2]
    assert gentle.start - since_s == pytest.approx(5.0, abs=0.5)
    assert choice.start - gentle.end == pytest.approx(5.0, abs=0.5)
    asked = next(s for s in gateway.log if isinstance(s.fact, HandoffRequested))
    assert asked.t - choice.end == pytest.approx(10.0, abs=0.5)
    assert [d.rule for fact, d in gateway.decisions if isinstance(fact, HandoffRequested)] == ["silence.person"]


async def test_hold_music_from_the_callers_side_is_silence(gateway: Gateway) -> None:
    await gateway.until(lambda: len(said(gateway)) == 1)
    music = np.frombuffer(hold_loop(), "<i2").astype(np.float32) / 32768
    gateway._mouth += 6 * pcm(at_level(music, -23.0))
    await prompts_come_in_time(gateway, said(gateway)[0].end)
    assert not gateway.of(SpeechStarted)


async def test_talk_in_the_background_is_silence_once_the_caller_is_known(gateway: Gateway) -> None:
    await gateway.until(lambda: len(said(gateway)) == 1)
    await gateway.say("I would like to know where my order is.")
    await gateway.until(lambda: len(said(gateway)) == 2)
    heard = len(gateway.of(Transcribed))
    # Radio across the room: a sentence every 8 s, some 26 dB below the caller.
    radio = pcm(at_level(clip("lj-LJ001-0008"), -47.0)).ljust(2 * 8000 * 8, b"\0")
    gateway._mouth += 4 * radio
    await prompts_come_in_time(gateway, said(gateway)[1].end)
    assert len(gateway.of(Transcribed)) == heard
