"""What the chaos run rests on: which faults are drawn, what is read from recordings, what counts as an ending."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voice.errors import UserError
from voice.evaluation.handoff_clips import CALLER_HZ, CALLER_TONE, HUMAN_HZ, HUMAN_TONE
from voice.evaluation.handoff_faults import FAULTS, PHONES, REFUSALS, draw
from voice.evaluation.handoff_reading import Result, waits
from voice.evaluation.handoff_results import Results, figures_of, table
from voice.evaluation.handoff_sound import first_sound_s, first_tone_s, longest_silence_s, resemblance

GOOD = Result(
    fault="none", ending="with-human", call="c", outcomes=("accepted",), silence_s=0.3, ringing_ms=90.0, asked_ms=95.0,
    human_s=2.0, two_way_ms=150.0, alone_s=0.0,
)  # fmt: skip


def sine(hz: float, seconds: float, level: float = 0.2) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(8000 * seconds)) / 8000)


def test_a_seed_draws_the_same_faults_and_leaves_none_out() -> None:
    assert draw(50, 7) == draw(50, 7)
    assert draw(50, 7) != draw(50, 8)
    assert {f.name for f in draw(len(FAULTS), 3)} == {f.name for f in FAULTS}
    assert len({f.name for f in FAULTS}) == len(FAULTS)
    assert {b for f in FAULTS for b in (f.first, f.second)} == {*PHONES, *REFUSALS}


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    assert draw(200, 1)[:30] == draw(30, 1)


def test_silence_is_when_no_channel_is_heard() -> None:
    quiet = np.zeros(8000)
    near = np.concatenate([sine(500, 1), quiet, quiet, quiet, sine(500, 1)])
    far = np.concatenate([quiet, quiet, sine(300, 1, 0.01), quiet, quiet])
    assert longest_silence_s(np.stack([near, far], 1), 0.0, 5.0) == pytest.approx(1.0, abs=0.04)
    assert longest_silence_s(np.stack([near, far * 0.1], 1), 0.0, 5.0) == pytest.approx(3.0, abs=0.04)
    assert longest_silence_s(np.stack([near, far], 1), 0.0, 1.5) == pytest.approx(0.5, abs=0.04)
    assert longest_silence_s(far[:, None], 3.0, 5.0) == pytest.approx(2.0, abs=0.04)


@pytest.mark.parametrize(("hz", "amplitude"), [(CALLER_HZ, CALLER_TONE), (HUMAN_HZ, HUMAN_TONE)])
def test_a_tone_is_found_to_a_frame_beside_noise_and_other_pitches(hz: float, amplitude: float) -> None:
    rng = np.random.default_rng(1)
    noise, other = rng.normal(0, 0.03, 24000), sine(700, 3.0)
    samples = noise + other + np.concatenate([np.zeros(16000), sine(hz, 1.0, amplitude)])
    assert first_tone_s(samples, hz, amplitude, 0.0) == pytest.approx(2.0, abs=0.03)
    assert first_tone_s(samples, hz, amplitude, 2.5) == pytest.approx(2.5, abs=0.03)
    assert first_tone_s(noise + other, hz, amplitude, 0.0) is None
    assert first_tone_s(samples * 0.2, hz, amplitude, 0.0) is None


def test_a_hiss_as_strong_as_the_tone_is_none() -> None:
    hiss = np.random.default_rng(3).normal(0, 0.3, 16000)
    assert first_tone_s(hiss, HUMAN_HZ, HUMAN_TONE, 0.0) is None


def test_the_first_sound_is_the_first_sample_that_is_not_zero() -> None:
    samples = np.concatenate([sine(500, 1.0), np.zeros(4000), sine(500, 1.0)])
    assert first_sound_s(samples, 1.1) == pytest.approx(1.5, abs=0.001)
    assert first_sound_s(np.zeros(100), 0.0) is None


def test_a_sound_is_found_under_another_and_not_where_it_is_not() -> None:
    rng = np.random.default_rng(2)
    briefing, hold, words = rng.normal(0, 0.1, 12000), rng.normal(0, 0.03, 40000), rng.normal(0, 0.1, 40000)
    within = hold.copy()
    within[9000:21000] += briefing
    assert resemblance(briefing, within) > 0.8
    assert resemblance(briefing, words) < 0.1
    assert resemblance(briefing, briefing[:100]) == 0.0


@pytest.mark.parametrize(
    ("bad", "figure"),
    [
        (replace(GOOD, ending="none"), "endings_defined"),
        (replace(GOOD, ending="interrupted"), "endings_defined"),
        (replace(GOOD, untold=True), "callers_untold"),
        (replace(GOOD, orphans=("2 RTP ports",)), "orphans"),
        (replace(GOOD, orphans=("h1 is still on the line",)), "humans_left_with_nobody"),
        (replace(GOOD, briefed_machine=True), "machines_briefed"),
        (replace(GOOD, leaked=True), "briefings_heard_by_caller"),
        (replace(GOOD, events_lost=1), "events_lost"),
        (replace(GOOD, tickets_lost=1), "tickets_lost"),
        (replace(GOOD, silence_s=1.7), "dead_air_s_max"),
        (replace(GOOD, two_way_ms=900.0), "two_way_after_key_ms_p95"),
        (replace(GOOD, two_way_ms=1900.0, accepts_by="voice"), "two_way_after_yes_ms_p95"),
        (replace(GOOD, ringing_ms=2000.0), "ringing_after_key_ms_p95"),
        (replace(GOOD, ringing_ms=2000.0, opens="asked"), "ringing_after_consent_ms_p95"),
        (replace(GOOD, ringing_ms=700.0, opens="crisis"), "ringing_in_crisis_ms_p95"),
    ],
)
def test_one_bad_call_misses_its_target(bad: Result, figure: str) -> None:
    assert all(f.met is not False for f in figures_of([GOOD]))
    assert next(f for f in figures_of([GOOD, bad]) if f.name == figure).met is False


def test_a_caller_waits_for_a_human_and_again_after_one_who_dropped() -> None:
    bridged, dropped = {"fact": "LegsBridged"}, {"fact": "HandoffState", "outcome": "human-dropped"}
    assert waits([], 1.0, 9.0) == [(1.0, 9.0)]
    assert waits([{**bridged, "t": 4.0}], 1.0, 9.0) == [(1.0, 4.0)]
    assert waits([{**bridged, "t": 4.0}, {**dropped, "t": 6.0}], 1.0, 9.0) == [(1.0, 4.0), (6.0, 9.0)]
    again = [{**bridged, "t": 4.0}, {**dropped, "t": 6.0}, {**bridged, "t": 8.0}]
    assert waits(again, 1.0, 9.0) == [(1.0, 4.0), (6.0, 8.0)]


def test_every_fault_is_a_line_with_the_worst_of_its_calls() -> None:
    lines = table([GOOD, replace(GOOD, two_way_ms=None, orphans=("2 RTP ports",), silence_s=0.5), GOOD]).splitlines()
    assert len(lines) == 3
    assert lines[2] == "| none | 3 | with-human | accepted | 0.50 | 90 | 2.0 | 150 | 0.0 | 2 RTP ports | 0 |"
    two = table([GOOD, replace(GOOD, ending="caller-left"), GOOD]).splitlines()
    assert "| 2× with-human; 1× caller-left |" in two[2]


def test_a_run_goes_on_where_its_lines_stop(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    results = Results(path, 1)
    results.add(4, GOOD)
    results.add(0, replace(GOOD, fault="busy", orphans=("2 calls",)))
    assert Results(path, 1).in_order() == [replace(GOOD, fault="busy", orphans=("2 calls",)), GOOD]
    assert Results(path, 2).in_order() == [], "another seed's calls are other calls"
    path.write_text(json.dumps({"n": 1, "seed": 1, "colour": "red"}) + "\n", "utf-8")
    with pytest.raises(UserError, match="not results of this version"):
        Results(path, 1)
