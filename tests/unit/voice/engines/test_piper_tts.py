"""piper-tts in its own process: the real one where the extra is installed, one clear line where it is not."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest

from voice.engines.errors import EngineMissing
from voice.engines.piper import default_voice
from voice.engines.piper_tts import PiperTtsVoice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import WhisperTranscriber
from voice.errors import EngineError

TEXT = "I can see your order here, and it should arrive on Tuesday morning."
installed = pytest.mark.skipif(
    importlib.util.find_spec("piper") is None, reason="piper-tts (GPL-3) is not installed: extra piper or bench"
)


@pytest.fixture(scope="module")
def voice() -> Iterator[PiperTtsVoice]:
    voice = PiperTtsVoice(default_voice())
    yield voice
    voice.close()


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        EngineMissing, match=r"^agent\.tts = 'piper': piper-tts is not installed: pip install 'warmline\["
    ):
        PiperTtsVoice(default_voice())


@installed
async def test_what_it_says_is_understood_at_the_rate_asked_for(
    voice: PiperTtsVoice, pool: EnginePool, transcriber: WhisperTranscriber
) -> None:
    synthesizer = PiperSynthesizer(voice, pool)
    fast, slow = [await synthesizer.render(TEXT, rate) for rate in (180, 140)]
    assert len(slow) > 1.1 * len(fast), "its durations are drawn anew each time"
    heard = transcriber.recognise(np.frombuffer(fast, "<i2").astype(np.float32) / 32768)
    assert "order here" in heard.text
    assert "Tuesday morning" in heard.text


@installed
def test_a_sentence_that_ends_the_child_costs_no_other(voice: PiperTtsVoice) -> None:
    voice.latents("One.", 1.0)
    with pytest.raises(EngineError, match="piper-tts gave no answer"):
        voice.latents("Two.", "no number")  # type: ignore[arg-type]
    assert voice.seconds(voice.latents("Three.", 1.0)) > 0.2
