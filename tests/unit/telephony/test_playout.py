"""The queue of what is said to one party."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.link_codec import FRAME_BYTES
from telephony.media.pcm import SILENCE
from telephony.playout import Playout


def ramp(frames: int, first: int = 1) -> bytes:
    """Every frame filled with its own number, so that order and loss show."""
    return b"".join((first + n).to_bytes(2, "little") * 160 for n in range(frames))


def play(playout: Playout, first_tick: int, n: int) -> list[int | None]:
    """Numbers of the frames played in ``n`` ticks; 0 = silence, None = nothing to say."""
    out: list[int | None] = []
    for tick in range(first_tick, first_tick + n):
        frame = playout.frame(tick)
        out.append(None if frame is None else int.from_bytes(frame[:2], "little"))
    return out


def test_a_turn_is_played_whole_and_reported_when_it_has_left_the_line() -> None:
    p = Playout()
    p.start_turn(1, "one two", 150)
    p.feed(1, ramp(3), last=True)
    assert play(p, 10, 4) == [1, 2, 3, 0]
    assert not p.ended
    assert play(p, 14, 2) == [0, None]
    ended = p.ended[0]
    assert (ended.start_tick, ended.end_tick, ended.text, ended.cut) == (10, 13, "one two", False)


def test_prompts_wait_for_the_turn_before_them() -> None:
    p = Playout()
    p.start_turn(1, "a", 150)
    p.feed(1, ramp(2), last=True)
    p.say("hold_start", "please hold", ramp(1, first=50))
    assert play(p, 0, 6) == [1, 2, 0, 0, 50, 0]


def test_a_turn_whose_worker_hangs_lets_a_prompt_pass_after_200_ms() -> None:
    p = Playout()
    p.start_turn(1, "a", 150)
    p.feed(1, ramp(2), last=False)
    p.say("please_wait", "one moment", ramp(2, first=50))
    played = play(p, 0, 20)
    assert played[:2] == [1, 2]
    assert 12 <= played.index(50) <= 13
    p.feed(1, ramp(1, first=3), last=True)
    assert 3 in play(p, 20, 5)


def test_cut_reports_the_words_that_were_heard() -> None:
    p = Playout()
    p.start_turn(1, "one two three four", 150)
    p.feed(1, ramp(40), last=True)
    play(p, 0, 20)
    ended = p.cut_turns(20, up_to=1)
    assert [(e.text, e.cut, e.end_tick) for e in ended] == [("one two", True, 20)]
    assert not p.busy


def test_cut_of_a_turn_still_being_made_goes_by_its_rate() -> None:
    p = Playout()
    p.start_turn(1, "w " * 30, 120)
    p.feed(1, ramp(150), last=False)
    play(p, 0, 150)
    assert len(p.cut_turns(150)[0].text.split()) == 6


def test_a_turn_that_comes_in_parts_is_one_turn_and_its_cut_counts_within_the_part() -> None:
    p = Playout()
    p.start_turn(1, "one two", 150)
    p.feed(1, ramp(40), last=False)
    p.continue_turn(1, "three four five six", 40 * 160)
    p.feed(1, ramp(20), last=True)
    play(p, 0, 50)
    ended = p.cut_turns(50, up_to=1)
    assert [(e.text, e.cut) for e in ended] == [("one two three four", True)]

    p.start_turn(2, "one two", 150)
    p.feed(2, ramp(4), last=False)
    p.continue_turn(2, "three", 4 * 160)
    p.continue_turn(1, "of a turn that was cut", 0)
    p.feed(2, ramp(4), last=True)
    play(p, 60, 12)
    assert [(e.turn, e.text, e.cut) for e in p.ended][1:] == [(2, "one two three", False)]


def test_a_cut_in_the_first_part_leaves_no_word_of_the_second() -> None:
    p = Playout()
    p.start_turn(1, "one two three four", 150)
    p.feed(1, ramp(40), last=False)
    p.continue_turn(1, "five", 40 * 160)
    play(p, 0, 20)
    assert [e.text for e in p.cut_turns(20)] == ["one two"]


def test_cut_spares_later_turns_and_kept_ones() -> None:
    p = Playout()
    p.start_turn(1, "a", 150)
    p.start_turn(2, "b", 150, keep=True)
    p.start_turn(3, "c", 150)
    assert [e.turn for e in p.cut_turns(0, up_to=2, kept=False)] == [1]
    assert [e.turn for e in p.cut_turns(0)] == [2, 3]


def test_sound_of_a_cut_turn_is_refused() -> None:
    p = Playout()
    p.start_turn(1, "a", 150)
    p.cut_turns(0)
    assert not p.feed(1, ramp(1), last=True)


def test_pause_stops_a_turn_but_not_a_prompt() -> None:
    p = Playout()
    p.start_turn(1, "a", 150)
    p.feed(1, ramp(4), last=True)
    assert play(p, 0, 2) == [1, 2]
    p.pause(True)
    assert play(p, 2, 2) == [None, None]
    p.say("please_wait", "x", ramp(1, first=9))
    assert play(p, 4, 1) == [9]
    p.pause(False)
    assert [n for n in play(p, 5, 5) if n] == [3, 4]


def test_a_prompt_without_sound_is_over_at_once() -> None:
    p = Playout()
    p.say("missing", "", b"")
    play(p, 0, 4)
    assert [e.prompt for e in p.ended] == ["missing"]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=6))
def test_pausing_at_any_moment_and_putting_back_loses_no_sample(pauses: list[tuple[int, int]]) -> None:
    """The line throws away up to two frames at each pause and hands their size back."""
    p = Playout()
    p.start_turn(1, "a", 150)
    p.feed(1, ramp(30), last=True)
    heard: list[int] = []
    tick = 0
    for run, thrown in pauses:
        for _ in range(run):
            frame = p.frame(tick)
            tick += 1
            if frame not in (None, SILENCE):
                heard.append(int.from_bytes(frame[:2], "little"))
        if p.busy:
            # Only what the line still holds (the last two ticks) can be thrown away.
            thrown = min(thrown, len(heard), run)
            p.pause(True)
            if thrown:
                del heard[-thrown:]
                p.put_back(thrown * FRAME_BYTES, tick)
            p.pause(False)
    for _ in range(60):
        frame = p.frame(tick)
        tick += 1
        if frame not in (None, SILENCE):
            heard.append(int.from_bytes(frame[:2], "little"))
    assert heard == list(range(1, 31))


@pytest.mark.parametrize("size", [1, 319, 321, 1000])
def test_a_last_frame_that_is_not_whole_is_filled(size: int) -> None:
    p = Playout()
    p.say("x", "x", b"\x01" * size)
    frames = [f for f in (p.frame(t) for t in range(20)) if f is not None]
    assert all(len(f) == FRAME_BYTES for f in frames)
    assert sum(f.count(1) for f in frames) == size
