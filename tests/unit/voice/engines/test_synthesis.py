"""The voice: split in two without loss, streamed without clicks, paced, levelled, cached, understood again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from voice.engines import phonemes as phonemes_module
from voice.engines.errors import EngineMissing
from voice.engines.levels import PEAK, RATE_HZ, active_level_db
from voice.engines.phonemes import phonemes, require_program, spoken
from voice.engines.phrases import PhraseCache
from voice.engines.piper import PiperVoice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer, pieces
from voice.engines.transcription import WhisperTranscriber

TEXT = "I can see your order here, and it should arrive at your address on Tuesday morning."


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


def test_chunks_equal_the_whole(synthesizer: PiperSynthesizer) -> None:
    voice = synthesizer.voice
    latents = voice.latents(TEXT, 1.1)
    whole = voice.samples(latents, slice(0, latents.frames.shape[-1]))
    chunks = voice.chunks(latents)
    assert len(chunks) > 3
    joined = np.concatenate([voice.samples(latents, chunk) for chunk in chunks])
    error_db = 10 * np.log10(np.mean((joined - whole) ** 2) / np.mean(whole**2))
    assert error_db < -90


def test_stream_has_no_seams(synthesizer: PiperSynthesizer) -> None:
    voice = synthesizer.voice
    latents = voice.latents(TEXT, 1.1)
    parts = [voice.samples(latents, chunk) for chunk in voice.chunks(latents)]
    stream = soxr.ResampleStream(voice.rate_hz, RATE_HZ, 1, dtype="float32")
    chunks = [stream.resample_chunk(part, last=n == len(parts) - 1) for n, part in enumerate(parts)]
    streamed = np.concatenate(chunks)
    whole = soxr.resample(np.concatenate(parts), voice.rate_hz, RATE_HZ)
    assert abs(len(streamed) - len(whole)) <= 1
    n = min(len(streamed), len(whole))
    np.testing.assert_allclose(streamed[:n], whole[:n], atol=1e-4)


async def test_the_first_sound_comes_before_the_last_is_made(synthesizer: PiperSynthesizer) -> None:
    chunks = [chunk async for chunk in synthesizer.stream("A sentence that was never said before, I believe.", 165)]
    assert len(chunks) > 3
    # 0.23 s, or one chunk more where the voice begins with a breath.
    assert len(chunks[0]) / 2 / RATE_HZ < 0.65


async def test_level_and_peak(synthesizer: PiperSynthesizer) -> None:
    sound = samples(await synthesizer.render("One moment, please. I will look that up for you now.", 165))
    assert active_level_db(sound) == pytest.approx(-20, abs=2.5)
    assert np.abs(sound).max() <= PEAK + 0.001


async def test_what_is_said_can_be_understood(synthesizer: PiperSynthesizer, transcriber: WhisperTranscriber) -> None:
    heard = transcriber.recognise(samples(await synthesizer.render("Your order will arrive on Tuesday.", 165)))
    assert {"order", "arrive", "tuesday"} <= set(heard.text.lower().strip(".").split())


async def test_a_phrase_is_made_once(synthesizer: PiperSynthesizer) -> None:
    first = await synthesizer.render("Is there anything else?", 165)
    # Piper draws noise: only a cached phrase can be equal sample for sample.
    assert await synthesizer.render("Is there anything else?", 166) == first
    assert await synthesizer.render("Is there anything else?", 145) != first


def test_pieces_start_short() -> None:
    text = "Thank you for that, I can see the order you placed with us last week. It is on its way."
    assert pieces(text) == [
        "Thank you for that,",
        "I can see the order you placed with us last week.",
        "It is on its way.",
    ]
    assert pieces("Okay.") == ["Okay."]
    assert pieces("It is 3.5 miles. Yes?") == ["It is 3.5 miles.", "Yes?"]
    assert pieces("...") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Order 4519.", "Order four five one nine."),
        ("It costs $42.50.", "It costs 42 dollars and 50 cents."),
        ("It costs $1.", "It costs 1 dollar."),
        ("Call 988 now.", "Call nine eight eight now."),
        ("In 120 minutes, press 0.", "In 120 minutes, press 0."),
        ("It began in 2019.", "It began in 2019."),
        ("Your number is 555-0134.", "Your number is five five five, zero one three four."),
    ],
)
def test_numbers_are_said_as_people_say_them(text: str, said: str) -> None:
    assert spoken(text) == said


def test_phonemes_keep_the_punctuation() -> None:
    ipa = phonemes("Hello, it is here.", "en-us")
    assert ipa.endswith(".")
    assert "," in ipa
    assert "ə" in ipa


def test_without_espeak_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phonemes_module.shutil, "which", lambda _: None)
    with pytest.raises(EngineMissing, match="apt-get install espeak-ng"):
        require_program()


def test_a_voice_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"agent\.voice"):
        PiperVoice(tmp_path / "voice.onnx")


def test_the_cache_forgets_the_oldest_and_keeps_what_is_pinned(tmp_path: Path) -> None:
    cache = PhraseCache(tmp_path)
    for n in range(60):
        cache.put(cache.key("v", str(n), 165), bytes(1_000_000))
    assert cache.get(cache.key("v", "0", 165)) is None
    newest = cache.key("v", "59", 165)
    cache.pin(newest)
    assert PhraseCache(tmp_path).load() == 1
    again = PhraseCache(tmp_path)
    again.load()
    assert again.get(newest) == bytes(1_000_000)


async def test_an_engine_that_raises_tells_the_one_who_asked(pool: EnginePool) -> None:
    from voice.engines.pool import Priority

    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await pool.run(Priority.REST, fail)
    assert await pool.run(Priority.REST, lambda: 7) == 7
