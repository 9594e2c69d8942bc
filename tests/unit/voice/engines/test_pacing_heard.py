"""Pace, pauses and level at the caller's ear: measured in the rendered sound, not taken from what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.voice.conversation.line import Line
from voice.conversation.commands import Say
from voice.conversation.pacing import BASE_WPM, CALM_LAST, CEILING_WPM, FLOOR_WPM
from voice.engines.levels import RATE_HZ, active_level_db
from voice.engines.phonemes import spoken
from voice.engines.synthesis import PiperSynthesizer, pause_s
from voice.engines.transcription import WhisperTranscriber
from voice.evaluation.pace import pauses_s, sentences
from voice.playbooks import load

TEXT = (
    "I can see your order here. It left our warehouse yesterday, and it should arrive on Thursday. Is that all right?"
)


def sound(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


@pytest.mark.parametrize("rate_wpm", [FLOOR_WPM, BASE_WPM, CEILING_WPM])
async def test_pauses_can_be_heard_and_are_no_gaps(synthesizer: PiperSynthesizer, rate_wpm: float) -> None:
    pauses = sorted(pauses_s(sound(await synthesizer.render(TEXT, rate_wpm))))
    comma, *sentences = pauses[-3:]
    assert 0.2 <= comma <= 0.47
    assert all(0.35 <= p <= 0.6 for p in sentences)
    assert all(p < 0.25 for p in pauses[:-3])


@pytest.mark.parametrize("rate_wpm", [FLOOR_WPM, CEILING_WPM])
async def test_what_is_asked_for_is_heard_over_several_sentences(
    synthesizer: PiperSynthesizer, rate_wpm: float
) -> None:
    said = sentences(seed=3)[:8]
    seconds = [len(await synthesizer.render(x, rate_wpm)) / 2 / RATE_HZ + pause_s(x, rate_wpm) for x in said]
    assert 60 * sum(len(spoken(x).split()) for x in said) / sum(seconds) == pytest.approx(rate_wpm, rel=0.08)


async def test_sentences_are_equally_loud(synthesizer: PiperSynthesizer) -> None:
    said = [x for x in sentences(seed=3) if len(x.split()) >= 8][:12]
    levels = [active_level_db(sound(await synthesizer.render(x, BASE_WPM))) for x in said]
    assert max(levels) - min(levels) <= 4.0
    assert np.mean(levels) == pytest.approx(-20.0, abs=1.0)


@pytest.mark.parametrize("playbook", ["default", "utility", "bank-cards"])
@pytest.mark.parametrize("upset", [False, True])
async def test_an_apology_takes_at_most_seven_seconds_however_slowly_it_is_said(
    synthesizer: PiperSynthesizer, playbook: str, upset: bool
) -> None:
    apology = load(playbook).phrase("apology", upset=upset)
    assert "sorry" in apology
    assert len(await synthesizer.render(apology, FLOOR_WPM)) / 2 / RATE_HZ <= 7.0


async def test_an_apology_in_a_call_is_one_and_short_and_something_can_be_done_after_it(
    synthesizer: PiperSynthesizer,
) -> None:
    line = Line()
    line.start()
    for text in ("Where is my order?", "4519", "Yes."):
        line.caller(text)
    (reply,) = line.caller("But it never came.")
    assert reply.count("sorry") == 1
    apology, rest = reply.split(". ", 1)
    assert "sorry" in apology
    assert "?" in rest
    assert len(await synthesizer.render(f"{apology}.", FLOOR_WPM)) / 2 / RATE_HZ <= 7.0
    rate = next(a.rate_wpm for a in reversed(line.actions) if isinstance(a, Say))
    whole = sound(await synthesizer.render(reply, rate))
    assert len(pauses_s(whole)) >= 2, "remedy and choice are set off from it"


async def test_calm_mode_is_slower_by_what_it_says(synthesizer: PiperSynthesizer) -> None:
    base = len(await synthesizer.render(TEXT, BASE_WPM))
    calm = len(await synthesizer.render(TEXT, BASE_WPM * CALM_LAST))
    assert 0.82 <= base / calm <= 0.94


async def test_level_does_not_change_with_the_pace(synthesizer: PiperSynthesizer) -> None:
    levels = [active_level_db(sound(await synthesizer.render(TEXT, rate))) for rate in (145, 165, 180)]
    assert max(levels) - min(levels) <= 2.0
    assert all(-23 <= level <= -17 for level in levels)


@pytest.mark.parametrize("rate_wpm", [145, 165, 180])
async def test_numbers_are_understood_at_every_pace(
    synthesizer: PiperSynthesizer, transcriber: WhisperTranscriber, rate_wpm: float
) -> None:
    pcm = await synthesizer.render("I have four five one nine for the order number.", rate_wpm)
    heard = transcriber.recognise(sound(pcm)).text
    digits = spoken(heard).lower().replace("-", " ").replace(",", "")
    assert "four five one nine" in digits
