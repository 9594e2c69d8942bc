"""The scenarios and clips that ship, and the verdict on a call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import soundfile as sf

from telephony import phone_audio as audio
from telephony.facts import ENDINGS, LEVELS, OUTCOMES
from voice.cli import SCENARIOS
from voice.demo.scenario import CLIPS, clips, load, names
from voice.demo.show import reason
from voice.demo.verdict import figures, outcomes, problems


def test_every_scenario_of_the_command_line_ships() -> None:
    assert names()[0] == "distress"
    assert set(SCENARIOS) <= set(names())


@pytest.mark.parametrize("name", names())
def test_scenarios_expect_things_that_can_happen(name: str) -> None:
    plan = load(name)
    assert set(plan.expect.endings) <= set(ENDINGS)
    assert set(plan.expect.outcomes) <= set(OUTCOMES)
    assert set(plan.expect.peak) <= set(LEVELS)
    assert plan.says
    assert plan.humans


def test_clips_are_8_khz_mono_with_their_texts_and_licence() -> None:
    assert {p.stem for p in CLIPS.glob("*.flac")} == set(clips())
    for clip in clips().values():
        info = sf.info(clip.path)
        assert (info.samplerate, info.channels) == (8000, 1)
        assert clip.text
        samples = sf.read(clip.path)[0]
        assert np.abs(samples).max() < 0.95
        assert (clip.style == "calm") == (clip.level == 0)


def test_the_pairs_differ_in_nothing_but_the_voice_or_nothing_but_the_words() -> None:
    upset, calm = load("distress"), load("upset-words-calm-voice")
    texts = [clips()[c].text for c in upset.says]
    assert [clips()[c].text for c in calm.says[: len(texts)]] == texts
    assert all(clips()[c].level == 0 for c in calm.says)
    neutral = load("upset-voice-neutral-words")
    levels = [clips()[c].level for c in upset.says]
    assert [clips()[c].level for c in neutral.says[: len(levels)]] == levels == [0, 0, 0.33, 0.67, 1, 1, 1]


def test_a_strained_voice_is_louder_than_the_same_sentence_calm() -> None:
    for n in (5, 6):
        loud, calm = (audio.read_recording(clips()[f"upset_{n}{kind}"].path) for kind in ("", "_calm"))
        assert audio.level_db(loud) > audio.level_db(calm) + 2


GOOD: list[dict[str, Any]] = [
    {"fact": "CallAnswered", "t": 0.0},
    {"fact": "Disclosed", "t": 7.0},
    {"fact": "DistressChanged", "t": 30.0, "level": "attend"},
    {"fact": "DistressChanged", "t": 40.0, "level": "distress"},
    {"fact": "HandoffOffered", "t": 41.0, "reason": "distress"},
    {"fact": "HandoffState", "t": 41.0, "state": "OFFERED"},
    {"fact": "HandoffAnswered", "t": 46.0, "accepted": True},
    {"fact": "HandoffState", "t": 46.1, "state": "HOLDING"},
    {"fact": "BriefingBuilt", "t": 46.2, "text": "Caller with order 7731."},
    {"fact": "LegsBridged", "t": 70.0},
    {"fact": "HandoffState", "t": 70.1, "state": "BRIDGED", "outcome": "accepted"},
    {"fact": "HandoffState", "t": 74.0, "state": "RELEASED", "outcome": "accepted"},
    {"fact": "CallEnded", "t": 95.0, "ending": "with-human"},
]


def test_a_call_that_went_as_it_must_has_no_problems() -> None:
    assert problems(GOOD, load("distress").expect) == []
    assert outcomes(GOOD) == ["accepted"]


@pytest.mark.parametrize(
    ("lacks", "word"),
    [
        ("Disclosed", "machine"), ("DistressChanged", "level"), ("HandoffAnswered", "reason"),
        ("HandoffState", "handed off"), ("LegsBridged", "joined"), ("CallEnded", "ended"),
    ],
)  # fmt: skip
def test_whatever_is_missing_is_a_problem(lacks: str, word: str) -> None:
    facts = [f for f in GOOD if f["fact"] != lacks]
    assert any(word in p for p in problems(facts, load("distress").expect))


def test_a_calm_call_that_was_handed_off_fails() -> None:
    assert len(problems(GOOD, load("calm").expect)) == 3


def test_the_figures_of_a_call() -> None:
    sound = np.zeros((100 * 8000, 2), dtype=np.int16)
    loud = (np.sin(np.arange(8000)) * 5000).astype(np.int16)
    sound[10 * 8000 : 11 * 8000, 0] = loud
    sound[12 * 8000 : 13 * 8000, 1] = loud
    sound[80 * 8000 : 81 * 8000, 0] = loud
    sound[82 * 8000 : 83 * 8000, 1] = loud
    found = figures(GOOD, sound, strained_s=25.0)
    assert found.voice_to_voice_ms == pytest.approx(1000, abs=20)
    assert (found.turns, found.to_detection_s, found.to_human_s) == (1, 15.0, 30.0)
    assert found.summary == "Caller with order 7731."
    nothing = figures([], None, None)
    assert (nothing.voice_to_voice_ms, nothing.to_detection_s, nothing.to_human_s) == (None, None, None)


def test_reasons_are_plain_words_with_value_reference_and_time() -> None:
    text = reason(
        {
            "kind": "voice",
            "name": "p_distress",
            "value": 0.81,
            "reference": 0.45,
            "start": 31.0,
            "end": 33.0,
            "unit": "",
        }
    )
    assert text == "voice: voice sounds distressed 0.81 (reference 0.45), 31.0-33.0 s"


def test_a_human_for_a_reason_that_must_not_be_is_a_problem() -> None:
    expect = load("upset-words-calm-voice").expect
    assert any("reason distress" in p for p in problems(GOOD, expect))
    stuck = [{**f, "reason": "stuck"} if f["fact"] == "HandoffOffered" else f for f in GOOD]
    assert problems([f for f in stuck if f.get("level") != "distress"], expect) == []
