"""Words of real speech; nothing of one caller in another's; refusals instead of inventions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.unit.voice.engines.conftest import babble, clip
from voice.conversation.bargein import STOP_SCORE
from voice.engines.decoder_loops import without_loop
from voice.engines.errors import EngineMissing
from voice.engines.pool import EnginePool
from voice.engines.readings import is_number, readings
from voice.engines.stop_words import BEFORE_S, LISTENING, STOPS, StopWord, best
from voice.engines.transcription import (
    DOUBT,
    RATE_HZ,
    WhisperTranscriber,
    load_transcriber,
)
from voice.engines.word_shares import proportional_words, speech_span
from voice.evaluation.spoken import speak
from voice.evaluation.transcription import phone_band
from voice.evaluation.turns_corpus import span

SAID = {
    "lj-LJ001-0004": {"block", "books", "printed"},
    "librivox-0880": {"young", "man", "not"},
    "librivox-0930": {"might", "amiable", "himself"},
}


CLIPS = Path(__file__).parents[4] / "voice" / "demo" / "clips"


def words(text: str) -> set[str]:
    return {w.strip(".,!?").lower() for w in text.split()}


@pytest.mark.parametrize("name", SAID)
def test_read_sentences_are_understood(transcriber: WhisperTranscriber, name: str) -> None:
    heard = transcriber.recognise(clip(name))
    assert SAID[name] <= words(heard.text)
    assert heard.rejected == ""
    assert heard.no_speech < 0.6


def test_a_long_fast_turn_is_heard_to_its_end(transcriber: WhisperTranscriber) -> None:
    """Forty words in nine seconds, as upset callers speak."""
    samples, rate = soundfile.read(CLIPS / "upset_5.flac", dtype="float32")
    text = transcriber.recognise(soxr.resample(samples, rate, 8000)).text
    assert text.endswith("what to do.")


async def test_calls_at_once_never_share_a_word(transcriber: WhisperTranscriber) -> None:
    names = list(SAID) * 4
    heard = await asyncio.gather(*(transcriber.transcribe(clip(name)) for name in names))
    for name, transcript in zip(names, heard, strict=True):
        alone = transcriber.recognise(clip(name)).text
        # A queue deeper than one is decoded with beam 1, which may differ in a word, but only in the call's own.
        assert SAID[name] <= words(transcript.text), (name, transcript.text, alone)
        others = set().union(*(SAID[other] for other in SAID if other != name))
        assert not others & words(transcript.text)


@pytest.mark.parametrize("seed", range(3))
def test_noise_and_silence_are_not_words(transcriber: WhisperTranscriber, seed: int) -> None:
    noise = (0.01 * np.random.default_rng(seed).standard_normal(12000)).astype(np.float32)
    assert transcriber.recognise(noise).text == ""
    assert transcriber.recognise(np.zeros(8000, np.float32)).rejected == "no speech"


def test_a_turn_shorter_than_a_tenth_of_a_second_is_nothing(transcriber: WhisperTranscriber) -> None:
    assert transcriber.recognise(np.zeros(100, np.float32)).text == ""


def test_words_have_times_inside_the_speech(transcriber: WhisperTranscriber) -> None:
    samples = np.concatenate([np.zeros(8000, np.float32), clip("librivox-0880")])
    heard = transcriber.recognise(samples)
    assert " ".join(w for _, _, w in heard.words) == heard.text
    assert heard.words[0][0] >= 0.95
    assert all(a < b for a, b, _ in heard.words)
    assert heard.words[-1][1] <= len(samples) / 8000


def test_a_loop_is_cut_and_ordinary_repetition_is_not() -> None:
    assert without_loop("I want it back. I want it back. I want it back.") == "I want it back."
    assert without_loop("no no no no") == "no no no no"
    assert without_loop("1 1 1 1 2") == "1 1 1 1 2"
    assert without_loop("17, 17, 17, 17, 17") == "17,"
    assert without_loop("again and again I called") == "again and again I called"


def test_span_and_shares() -> None:
    samples = np.zeros(16000, np.float32)
    samples[4000:8000] = 0.1
    assert speech_span(samples) == pytest.approx((0.5, 1.0), abs=0.03)
    ((a, b, first), (c, d, second)) = proportional_words("hi there", (0.5, 1.0))
    assert (first, second) == ("hi", "there")
    assert a == 0.5
    assert b == c
    assert d == pytest.approx(1.0, abs=0.01)


def test_a_model_that_is_missing_is_named_in_one_line(pool: EnginePool) -> None:
    with pytest.raises(EngineMissing, match=r"ear\.transcriber = 'no-such-model'") as caught:
        load_transcriber("no-such-model", pool)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SAID)
def test_words_stand_by_how_far_they_stand_out(transcriber: WhisperTranscriber, name: str) -> None:
    said = clip(name)
    noise = np.sqrt(np.mean(said**2)) * babble(len(said))
    heard = transcriber.recognise(said + 0.1 * noise)
    assert (heard.rejected, heard.guess) == ("", "")
    drowned = transcriber.recognise(said + noise)
    assert (drowned.text, drowned.words, drowned.rejected) == ("", (), "noise")
    assert drowned.alternatives == (), "what noise makes of words is nothing to ask about"


def test_what_was_asked_for_helps_only_where_the_recogniser_doubts() -> None:
    assert is_number("Eight, eight, two, one.", -0.2)
    assert not is_number("Eight, eight, two, one.", -0.6)
    assert not is_number("They do one.", -0.2)
    assert not is_number("Two, seven, zero, four, nine.", -0.2), "an echo of the context"
    told = [("I lost my card.", -0.3), ("I lost my car.", -0.5)]
    plain = [("I love my car.", -0.6), ("i lost my card", -0.9)]
    assert readings(plain, told) == ["I lost my card.", "I love my car.", "I lost my car."]


@pytest.mark.parametrize("name", SAID)
def test_sure_turns_have_no_second_reading(transcriber: WhisperTranscriber, name: str) -> None:
    heard = transcriber.recognise(clip(name), expects="digits")
    assert SAID[name] <= words(heard.text)
    assert heard.alternatives == () or heard.log_prob < DOUBT


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_number_even_if_one_was_asked_for(transcriber: WhisperTranscriber, seed: int) -> None:
    noise = (0.02 * np.random.default_rng(seed).standard_normal(16000)).astype(np.float32)
    heard = transcriber.recognise(noise, expects="digits")
    assert (heard.text, heard.alternatives) == ("", ())


@pytest.mark.parametrize("voice", ["slt", "rms"])
def test_a_short_stop_is_told_from_a_short_okay(transcriber: WhisperTranscriber, voice: str) -> None:
    def score(said: str) -> float:
        sound = phone_band(*speak(said, voice))
        first, _ = span(sound)
        return transcriber.judge_stop(sound[first - round(BEFORE_S[0] * RATE_HZ) :]).score

    stops = [score(said) for said in ("wait", "no", "sorry", "excuse me")]
    listening = [score(said) for said in ("okay", "right", "I see", "great")]
    assert min(stops) > STOP_SCORE > max(listening)


def test_the_best_stop_word_is_named_and_weighed_against_the_best_back_channel() -> None:
    log_probs = [-9.0] * (len(STOPS) + len(LISTENING))
    log_probs[1], log_probs[len(STOPS)] = -2.0, -5.0
    assert best(log_probs) == StopWord(word="Wait.", score=3.0)
