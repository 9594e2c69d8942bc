"""What the chaos run rests on: which faults are drawn, what is read from recordings, what counts as an ending."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice.evaluation.handoff import _figures, table
from voice.evaluation.handoff_calls import Result
from voice.evaluation.handoff_faults import FAULTS, draw
from voice.evaluation.handoff_sound import first_tone_s, longest_silence_s, resemblance

GOOD = Result(
    fault="none", call="c", ending="with-human", outcomes=("accepted",), silence_s=0.3, ringing_ms=90.0, human_s=2.0,
    two_way_ms=150.0,
)  # fmt: skip


def sine(hz: float, seconds: float, level: float = 0.2) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(int(8000 * seconds)) / 8000)


def test_a_seed_draws_the_same_faults_and_leaves_none_out() -> None:
    assert draw(50, 7) == draw(50, 7)
    assert draw(50, 7) != draw(50, 8)
    assert {f.name for f in draw(len(FAULTS), 3)} == {f.name for f in FAULTS}
    assert len({f.name for f in FAULTS}) == len(FAULTS)


def test_silence_is_when_neither_side_is_heard() -> None:
    quiet = np.zeros(8000)
    near = np.concatenate([sine(500, 1), quiet, quiet, quiet, sine(500, 1)])
    far = np.concatenate([quiet, quiet, sine(300, 1, 0.01), quiet, quiet])
    assert longest_silence_s(np.stack([near, far], 1), 0.0, 5.0) == pytest.approx(1.0, abs=0.04)
    assert longest_silence_s(np.stack([near, far * 0.1], 1), 0.0, 5.0) == pytest.approx(3.0, abs=0.04)
    assert longest_silence_s(np.stack([near, far], 1), 0.0, 1.5) == pytest.approx(0.5, abs=0.04)


def test_a_tone_is_found_to_a_frame_beside_noise_and_another_pitch() -> None:
    rng = np.random.default_rng(1)
    samples = np.concatenate([rng.normal(0, 0.05, 8000), sine(1900, 1.0), sine(700, 1.0)])
    assert first_tone_s(samples, 700, 0.0) == pytest.approx(2.0, abs=0.03)
    assert first_tone_s(samples, 1900, 0.0) == pytest.approx(1.0, abs=0.03)
    assert first_tone_s(samples, 1300, 0.0) is None


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
        (replace(GOOD, ending="caller-left", untold=True), "endings_defined"),
        (replace(GOOD, untold=True), "callers_untold"),
        (replace(GOOD, orphans=("h1 is still on the line",)), "orphans"),
        (replace(GOOD, briefed_machine=True), "machines_briefed"),
        (replace(GOOD, leaked=True), "briefings_heard_by_caller"),
        (replace(GOOD, silence_s=1.7), "dead_air_s_max"),
        (replace(GOOD, two_way_ms=900.0), "time_to_two_way_ms_p95"),
        (replace(GOOD, events_lost=1), "events_lost"),
    ],
)
def test_one_bad_call_misses_its_target(bad: Result, figure: str) -> None:
    assert all(f.met is not False for f in _figures([GOOD]))
    assert next(f for f in _figures([GOOD, bad]) if f.name == figure).met is False


def test_every_call_is_a_line() -> None:
    lines = table([GOOD, replace(GOOD, two_way_ms=None, orphans=("2 RTP ports",))]).splitlines()
    assert len(lines) == 4
    assert lines[2] == "| none | with-human | accepted | 0.30 | 90 | 2.0 | 150 | 0 |"
    assert lines[3].endswith("| – | 2 RTP ports |")
