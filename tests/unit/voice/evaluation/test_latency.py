"""Voice to voice from a caller's recording, and the rows it becomes."""

from __future__ import annotations

import numpy as np
import pytest

from voice.evaluation.latency import NOT_COMPARED, _judged_complete, _rows
from voice.evaluation.latency_calls import TURNS, Heard, Talker, measure


def recording(*parts: tuple[str, float]) -> np.ndarray:
    """``near``, ``far`` or ``quiet`` for so many seconds each; shape (samples, 2)."""
    pieces = []
    for who, seconds in parts:
        piece = np.zeros((round(seconds * 8000), 2), dtype=np.int16)
        if who != "quiet":
            piece[:, 0 if who == "near" else 1] = (8000 * np.sin(np.arange(len(piece)))).astype(np.int16)
        pieces.append(piece)
    return np.concatenate(pieces)


def test_delays_are_measured_from_the_end_of_our_sentence() -> None:
    heard = measure(
        recording(
            ("far", 1), ("quiet", 1), ("near", 1), ("quiet", 0.2), ("near", 1), ("quiet", 0.6), ("far", 1),
            ("quiet", 1), ("near", 1), ("quiet", 0.8), ("far", 1), ("quiet", 1),
        )
    )  # fmt: skip
    assert heard.voice_to_voice_ms == pytest.approx((600, 800), abs=20)
    assert (heard.said, heard.cut) == (2, 0)


def test_an_agent_that_speaks_into_a_sentence_has_cut_it() -> None:
    sound = recording(("quiet", 1), ("near", 3), ("quiet", 2))
    sound[2 * 8000 : 5 * 8000, 1] = 5000
    heard = measure(sound)
    assert (heard.voice_to_voice_ms, heard.said, heard.cut) == ((), 1, 1)


def test_rows_say_what_was_measured_and_whether_it_is_enough() -> None:
    heard = [Heard(voice_to_voice_ms=(400.0, 500.0, 600.0), said=4, cut=1)]
    p50, p95, cut = _rows("warmline", 1, heard, 0, (550.0, 550.0))
    assert (p50.name, p50.value, p50.n, p50.met) == ("warmline/voice_to_voice_p50_1_calls", 500.0, 3, True)
    assert p95.met is False
    assert p50.interval is not None
    assert p50.interval[0] <= 500.0 <= p50.interval[1]
    assert cut.value == 0.25


def test_without_a_peer_the_row_says_so() -> None:
    assert {f.target for f in _rows("plain_pipecat", 4, [], 0, None)} == {NOT_COMPARED}
    assert {f.target for f in _judged_complete(4, [], [], 0)} == {NOT_COMPARED}


def test_the_ratio_leaves_out_what_the_peer_waited_for() -> None:
    ours = [Heard(voice_to_voice_ms=(500.0, 600.0, 700.0), said=3, cut=0)]
    theirs = [Heard(voice_to_voice_ms=(1200.0, 1200.0, 3500.0, 3600.0, 3700.0), said=5, cut=0)]
    complete, ratio = _judged_complete(1, ours, theirs, 0)
    assert (complete.value, complete.n) == (1200.0, 2)
    assert (ratio.value, ratio.met) == (0.5, True)


def test_the_talker_waits_the_greeting_out_and_says_every_sentence_once() -> None:
    talker = Talker()
    said = []

    def event(name: str, t: float) -> None:
        talker.ear.phone({"event": name, "t": t, "at_s": t})

    def until(start: float, end: float) -> None:
        for now in np.arange(start, end, 0.02):
            if (clip := talker.step(float(now))) is not None:
                said.append((clip, float(now)))

    event("answered", 0.0)
    talker.ear.answered_t = 0.0
    event("heard_speech_start", 0.5)
    event("heard_speech_end", 1.5)
    until(1.8, 2.7)
    assert said == []
    until(2.7, 3.0)
    assert [c for c, _ in said] == [TURNS[0]]
    t = 4.0
    for turn in TURNS[1:]:
        event("played", t)
        event("heard_speech_start", t + 0.6)
        event("heard_speech_end", t + 2.0)
        until(t + 2.3, t + 3.2)
        assert said[-1][0] == turn
        t += 5.0
    assert not talker.over(t)
    event("closed", t)
    assert talker.over(t)
