"""Received sound on the grid of call time, under loss, jitter, clock error and holds. Time is a number here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.link_codec import FRAME_BYTES
from telephony.media.framer import Frame, Framer
from telephony.media.pcm import SILENCE, level_db

LOUD = (np.full(160, 8000, dtype="<i2")).tobytes()


def feed(framer: Framer, arrivals: list[tuple[float, bytes]], until_s: float) -> list[Frame]:
    """Beats of 10 ms; each arrival is pushed in the first beat after its time."""
    out: list[Frame] = []
    waiting = sorted(arrivals, key=lambda a: a[0])
    for beat in range(int(until_s * 100) + 1):
        now = beat / 100
        while waiting and waiting[0][0] <= now:
            framer.push(waiting.pop(0)[1])
        out += framer.take(now)
    return out


def steady(n: int, start: float = 0.03, step: float = 0.02) -> list[tuple[float, bytes]]:
    return [(start + k * step, LOUD) for k in range(n)]


def test_every_tick_comes_once_and_in_order() -> None:
    frames = feed(Framer(), steady(100), 2.0)
    assert [f.tick for f in frames] == list(range(len(frames)))
    assert {f.kind for f in frames[3:]} == {"real"}


def test_sound_is_never_later_than_60_ms() -> None:
    framer = Framer()
    for beat in range(200):
        if beat % 2:
            framer.push(LOUD)
        framer.take(beat / 100)
        assert beat / 100 - framer.tick * 0.02 <= 0.08


def test_lost_packets_are_concealed_by_fading_then_noise() -> None:
    arrivals = steady(100)
    del arrivals[50:60]
    frames = feed(Framer(), arrivals, 2.0)
    lost = [f for f in frames if f.kind == "lost"]
    assert 8 <= len(lost) <= 10, "up to 50 ms are made up by the slack of the grid"
    levels = [level_db(f.pcm) for f in lost]
    assert levels[0] > levels[1] > levels[2] > -30
    assert all(-75 < level < -60 for level in levels[3:8])


@pytest.mark.parametrize("ppm", [-1000, 1000])
def test_a_far_clock_that_is_wrong_does_not_move_the_grid(ppm: int) -> None:
    step = 0.02 * (1 - ppm / 1e6)
    framer = Framer()
    frames = feed(framer, steady(int(200 / step), step=step), 200.0)
    assert abs(200.0 - framer.tick * 0.02) < 0.08
    corrected = sum(f.kind == "lost" for f in frames) + framer.dropped
    assert 5 <= corrected <= 11, "0.2 s of clock error in 20 ms steps"


def test_burst_after_a_stall_drops_only_what_is_too_early() -> None:
    framer = Framer()
    arrivals = steady(50) + [(1.33, LOUD)] * 15 + steady(50, start=1.35)
    feed(framer, arrivals, 2.3)
    assert framer.dropped >= 9
    assert abs(2.3 - framer.tick * 0.02) < 0.08


def test_hold_is_idle_not_lost() -> None:
    framer = Framer()
    frames = feed(framer, steady(50), 1.0)
    framer.hold(True)
    framer.push(LOUD)
    held = []
    for beat in range(101, 300):
        held += framer.take(beat / 100)
    assert {f.kind for f in held} <= {"idle", "real"}
    assert sum(f.kind == "real" for f in held) <= 1
    assert frames[-1].tick < held[0].tick


def test_a_leg_that_begins_late_begins_at_its_tick() -> None:
    framer = Framer(first_tick=500)
    assert framer.take(10.0) == []
    framer.push(LOUD)
    assert [f.tick for f in framer.take(10.04)][0] == 500


def test_finish_fills_to_the_end_of_the_call() -> None:
    framer = Framer()
    feed(framer, steady(10), 0.2)
    framer.push(LOUD)
    rest = framer.finish(50)
    assert rest[-1].tick == 49
    assert rest[-1].pcm == SILENCE


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5)), max_size=60))
def test_whatever_arrives_ticks_are_consecutive_and_frames_whole(arrivals: list[tuple[float, int]]) -> None:
    framer = Framer()
    frames = feed(framer, [(t, LOUD[: 64 * n]) for t, n in arrivals], 3.0)
    frames += framer.finish(150)
    assert [f.tick for f in frames] == list(range(len(frames)))
    assert 150 <= len(frames) <= 154, "at most 70 ms ahead of the clock"
    assert all(len(f.pcm) == FRAME_BYTES for f in frames)
