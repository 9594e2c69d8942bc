"""The rulers of ``warmline eval turns``: sound of known times in, those times out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice.evaluation.transcription import Utterance
from voice.evaluation.turns_corpus import RATE_HZ, Turn, framed, levels_db, quiet_stretches, sentences, with_pause
from voice.evaluation.turns_curve import PATIENCE, curves
from voice.evaluation.turns_ends import Ended, figures
from voice.evaluation.turns_live import measure
from voice.evaluation.turns_pauses import Pause, taken
from voice.evaluation.turns_sounds import at_level
from voice.evaluation.turns_stops import Onset, Spell, onset_s
from voice.evaluation.turns_stops import figures as stop_figures

RNG = np.random.default_rng(1)


def noise(seconds: float, db: float) -> np.ndarray:
    return (10 ** (db / 20) * RNG.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def test_the_onset_is_the_first_frame_that_stands_15_db_over_the_floor() -> None:
    sound = np.concatenate([noise(1.0, -60), noise(0.2, -50), noise(1.0, -25), noise(0.5, -60)])
    assert onset_s(sound) == pytest.approx(1.2, abs=0.021)


def test_a_pause_is_as_long_as_asked_and_as_quiet_as_the_recording() -> None:
    speech = np.concatenate([noise(1.0, -25), noise(0.1, -60), noise(1.0, -25)])
    paused = with_pause(speech, round(1.05 * RATE_HZ), 0.7)
    assert len(paused) - len(speech) == round(0.7 * RATE_HZ)
    level = levels_db(paused)
    assert (level < -50).sum() == pytest.approx(80, abs=2)
    assert level.min() > -75, "a line is never digital silence"


def test_a_turn_knows_where_its_caller_speaks() -> None:
    part = np.concatenate([noise(0.45, -25), noise(0.1, -60), noise(0.45, -25)])
    turn = framed("join", [part, part], [0.4], "", held_out=False)
    assert turn.end_s == pytest.approx(0.5 + 1.0 + 0.4 + 1.0, abs=0.02)
    assert turn.speaks.sum() == pytest.approx(180, abs=3)
    assert not turn.speaks[152:188].any()


def test_only_single_sentences_are_paused() -> None:
    def said(text: str, source: str = "asterisk") -> Utterance:
        return Utterance(source=source, text=text, samples=noise(0.1, -30))

    kept = sentences([said("One sentence."), said("Two. Of them."), said("1 2 3", source="fsdd")])
    assert [u.text for u in kept] == ["One sentence."]


def test_shares_are_per_hundred_and_splits_are_not_cuts() -> None:
    turn = framed("join", [noise(0.5, -25), noise(0.5, -25)], [0.4], "", held_out=True)
    paused = [Ended(turn=replace(turn, kind="paused"), split=k < 2, cut=k < 1, delay_s=0.3) for k in range(4)]
    found = {f.name: f for f in figures(paused, seed=0)}
    assert found["turn_cut_off_per_100"].value == 25
    assert found["turn_cut_off_per_100"].met is False
    assert found["turn_split_per_100"].value == 50
    assert found["endpoint_delay_p50_ms"].value == pytest.approx(300)
    assert found["endpoint_delay_p50_ms"].n == 2


def test_stops_are_counted_per_ten_minutes_of_agent_speech() -> None:
    onsets = [Onset(silent_s=0.1 * k, stopped=k != 5, words_off=0) for k in range(1, 6)]
    found = {
        f.name: f.value
        for f in stop_figures(
            onsets,
            {True: onsets[:1], False: onsets[4:]},
            [
                Spell(kind="echo", minutes=20.0, stops=3, pauses=4),
                Spell(kind="echo", minutes=10.0, stops=0, pauses=1, held_out=False),
            ],
        )
    }
    assert found["barge_in_p50_ms"] == pytest.approx(300)
    assert found["barge_in_ignored"] == 1
    assert found["false_stops_echo_per_10_min"] == 1.5
    assert found["held_back_echo_per_10_min"] == 2.0
    assert found["false_stops_echo_per_10_min_tuned"] == 0.0
    assert (found["short_words_ignored"], found["short_words_ignored_tuned"]) == (0.0, 1.0)


def test_a_live_interruption_is_timed_from_the_recording_of_both_sides() -> None:
    n = 6 * RATE_HZ
    near, far = 1e-4 * RNG.standard_normal(n), 1e-4 * RNG.standard_normal(n)
    far[RATE_HZ : round(2.24 * RATE_HZ)] += 0.1 * RNG.standard_normal(round(1.24 * RATE_HZ))
    near[2 * RATE_HZ : 3 * RATE_HZ] += 0.1 * RNG.standard_normal(RATE_HZ)
    # An answer that comes after the sentence is no interruption.
    far[4 * RATE_HZ : 5 * RATE_HZ] += 0.1 * RNG.standard_normal(RATE_HZ)
    sound = (32767 * np.stack([near, far], axis=1)).astype(np.int16)
    (late_s,) = measure(sound)
    assert late_s == pytest.approx(0.24, abs=0.03)


def test_a_level_is_that_of_the_speech_and_not_of_its_pauses() -> None:
    sound = at_level(np.concatenate([noise(1.0, -30), noise(1.0, -70)]), -23.0)
    assert 10 * np.log10(np.mean(sound[:RATE_HZ] ** 2)) == pytest.approx(-23.0, abs=0.1)


def paused_turn() -> Turn:
    """A second of speech, 0.8 s of quiet, another second."""
    part = np.concatenate([noise(0.45, -25), noise(0.1, -60), noise(0.45, -25)])
    return framed("call", [part, part], [0.8], "", held_out=True)


def pause(quiet_s: float, resumes_s: float | None, text: str) -> Pause:
    return Pause(quiet_s=quiet_s, resumes_s=resumes_s, spoken_s=1.0, text=text, log_prob=-0.2, p_complete=0.9)


def test_a_rule_is_tried_on_pauses_that_were_heard_once() -> None:
    turn, whole = paused_turn(), "I would like to change my address."
    hasty = [pause(1.5, 2.2, whole), pause(3.3, None, whole)]
    assert taken(turn, hasty, 1.0).cut
    assert taken(turn, hasty, 1.0).delay_s == pytest.approx(0.25, abs=0.04)
    assert not taken(turn, hasty, 3.0).split
    careful = [pause(1.5, 2.35, "I would like to"), pause(3.3, None, whole)]
    assert not taken(turn, careful, 1.0).split


def test_a_turn_taken_just_before_the_caller_goes_on_is_split_but_not_cut() -> None:
    ended = taken(paused_turn(), [pause(2.0, 2.35, "I would like to change my address.")], 1.0)
    assert (ended.split, ended.cut) == (True, False)


def test_the_curve_has_a_point_for_every_patience_and_falls() -> None:
    turn, whole = paused_turn(), "I would like to change my address."
    heard = [(turn, [pause(1.5, 2.2, whole), pause(3.3, None, whole)])]
    points = curves(heard, held_out=True)["on calls"]
    assert [p.patience for p in points] == list(PATIENCE)
    assert (points[0].cut_per_100, points[-1].cut_per_100) == (100.0, 0.0)
    assert curves(heard, held_out=False) == {}


def test_quiet_stretches_are_given_longest_first() -> None:
    parts = [noise(0.5, -25), noise(0.1, -60), noise(0.5, -25), noise(0.3, -60), noise(0.5, -25)]
    longest, other = quiet_stretches(np.concatenate(parts))
    assert longest / RATE_HZ == pytest.approx(1.25, abs=0.02)
    assert other / RATE_HZ == pytest.approx(0.55, abs=0.02)
