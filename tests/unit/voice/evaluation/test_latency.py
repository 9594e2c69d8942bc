"""Voice to voice from a caller's recording, and the rows it becomes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice.evaluation.latency_budget import Answer, answers, emotion_lags_ms
from voice.evaluation.latency_calls import TURNS, Heard, Talker, measure
from voice.evaluation.latency_level import NOT_COMPARED, Level, rows
from voice.evaluation.latency_report import page, write


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


def heard(*delays_ms: float, said: int = 0, cut: int = 0) -> Heard:
    answers = tuple((10.0 * n, ms) for n, ms in enumerate(delays_ms, 1))
    return Heard(answers=answers, said=said or len(delays_ms), cut=cut, caller="caller-0")


def level(calls: int = 1, *, ours: Heard, peer: tuple[Heard, ...] = (), logged: bool = True) -> Level:
    """One level whose turns waited 250 ms and took 100 ms on the line."""
    found = [
        Answer(
            delay_ms=ms,
            stages_ms={"vad_wait": 250.0, "first_audio": ms - 350, "line": 100.0} if logged else {},
            rule="sounds finished",
        )
        for _, ms in ours.answers
    ]
    for answer in found:
        for stage in ("recognition", "decision", "link") if logged else ():
            answer.stages_ms[stage] = 0.0
    return Level(
        calls=calls, heard=[ours], answers=found, emotion_ms=[90.0, 110.0], wall_s=60.0, callers_cores=0.1,
        cores={"worker": 0.2}, first_start_s=12.0, start_s=4.0, idle_mb=500.0, worker_mb=500.0 + 10 * calls,
        system_mb=900.0, peer=list(peer),
    )  # fmt: skip


def test_rows_say_what_was_measured_and_whether_it_is_enough() -> None:
    found = {f.name: f for f in rows(level(ours=heard(400.0, 500.0, 900.0, said=4, cut=1)), 0)}
    p50, p95 = (found[f"warmline/voice_to_voice_p{p}_1_calls"] for p in (50, 95))
    assert (p50.value, p50.n, p50.met) == (500.0, 3, True)
    assert p95.met is False
    assert p50.interval is not None
    assert p50.interval[0] <= 500.0 <= p50.interval[1]
    assert found["warmline/cut_off_1_calls"].value == 0.25
    assert found["emotion_after_speech_p50_1_calls"].met is True


def test_the_stages_add_up_to_what_the_ear_heard() -> None:
    found = {f.name: f.value for f in rows(level(ours=heard(400.0, 500.0)), 0)}
    stages = [v for n, v in found.items() if n.startswith("warmline/stage_")]
    assert sum(v or 0.0 for v in stages) == pytest.approx(found["warmline/stages_sum_mean_1_calls"])
    assert found["warmline/stages_sum_mean_1_calls"] == 450.0


def test_memory_is_counted_per_call() -> None:
    found = {f.name: f for f in rows(level(8, ours=heard(400.0)), 0)}
    assert (found["worker_rss_8_calls"].value, found["worker_rss_8_calls"].met) == (580.0, True)
    assert found["worker_rss_per_call_8_calls"].value == 10.0


def test_without_a_peer_the_row_says_so() -> None:
    ratio = next(f for f in rows(level(4, ours=heard(400.0)), 0) if f.name.startswith("ratio"))
    assert (ratio.value, ratio.target) == (None, NOT_COMPARED)


def test_the_ratio_leaves_out_what_the_peer_waited_for() -> None:
    peer = heard(1200.0, 1200.0, 3500.0, 3600.0, 3700.0)
    found = {f.name: f for f in rows(level(ours=heard(500.0, 600.0, 700.0), peer=(peer,)), 0)}
    complete, ratio = (
        found[f"{n}_p50_1_calls"] for n in ("plain_pipecat/voice_to_voice_held_complete", "ratio_to_plain_pipecat")
    )
    assert (complete.value, complete.n) == (1200.0, 2)
    assert (ratio.value, ratio.met) == (0.5, True)


FACTS = [
    {"fact": "CallAnswered", "from": "sip:caller-0@127.0.0.1", "t": 0.0},
    {"fact": "EmotionScored", "start": 5.0, "end": 8.0, "t": 8.1, "abstained": False},
    {"fact": "EmotionScored", "start": 6.0, "end": 9.0, "t": 9.9, "abstained": True},
    {"fact": "Said", "turn": 0, "prompt": "disclosure", "start": 0.0, "end": 7.0, "t": 7.0},
    {"fact": "Said", "turn": 1, "prompt": "", "start": 7.1, "end": 9.0, "t": 9.0},
    {"fact": "Said", "turn": 2, "prompt": "", "start": 12.0, "end": 14.0, "t": 14.0},
    {"fact": "TurnTimed", "turn": 2, "stages_ms": {"vad_wait": 600.0, "link": 20.0}, "total_ms": 620.0, "ready": True},
]


def test_a_turn_heard_is_found_in_the_log_and_the_line_is_what_is_left() -> None:
    calls = {"caller-0": [FACTS]}
    ear = Heard(answers=((12.1, 770.0), (30.0, 500.0)), said=2, cut=0, caller="caller-0")
    first, unknown = answers([ear], calls)
    assert first.stages_ms == {"vad_wait": 600.0, "link": 20.0, "line": 150.0}
    assert (first.complete, first.ready) == (False, True)
    assert (unknown.stages_ms, unknown.complete) == ({}, None)
    assert emotion_lags_ms(calls) == pytest.approx([100.0])


def test_the_second_call_of_a_caller_is_matched_with_the_second_in_the_store() -> None:
    silent: list[dict[str, object]] = [{"fact": "CallAnswered", "from": "sip:caller-0@127.0.0.1", "t": 0.0}]
    ear = Heard(answers=((12.1, 770.0),), said=1, cut=0, caller="caller-0")
    found = answers([ear, ear], {"caller-0": [silent, FACTS]})
    assert [bool(a.stages_ms) for a in found] == [False, True]


def test_the_page_keeps_the_levels_of_earlier_runs(tmp_path: Path) -> None:
    write(tmp_path, [level(1, ours=heard(400.0, 900.0))])
    write(tmp_path, [level(8, ours=heard(600.0))])
    text = (tmp_path / "benchmarks" / "latency.md").read_text()
    assert "| 1 | 650 | 850 | 875 | 2 |" in text
    assert "| 8 | 600 |" in text
    assert "| sounds finished | 3 | 250 |" in text
    assert "`warmline/voice_to_voice_p95_1_calls` 875 ms, target <= 750" in text
    for name in ("distribution", "stages"):
        assert (tmp_path / "images" / f"latency-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "plain pipecat" not in text
    peer = level(4, ours=heard(600.0), peer=(heard(1200.0),))
    about = {"machine": "m", "commit": "c", "date": "d"}
    assert "`ratio_to_plain_pipecat_p50_4_calls` 0.50" in page({4: peer}, {4: about})


def test_the_talker_waits_the_greeting_out_and_says_every_sentence_once() -> None:
    talker = Talker(np.random.default_rng(0))
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
    until(2.7, 4.0)
    assert [c for c, _ in said] == [TURNS[0]]
    t = 5.0
    for turn in TURNS[1:]:
        event("played", t)
        event("heard_speech_start", t + 0.6)
        event("heard_speech_end", t + 2.0)
        until(t + 2.3, t + 4.2)
        assert said[-1][0] == turn
        t += 5.0
    assert not talker.over(t)
    event("closed", t)
    assert talker.over(t)
