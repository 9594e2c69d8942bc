"""Scripted calls as text: what issue-level figures rest on, and that the figures can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from telephony.facts import Transcribed
from voice.evaluation.dialogue import figures, share, slot_marks
from voice.evaluation.scripted import run, scripts
from voice.evaluation.spoken import PhoneLine


def test_at_least_sixty_calls_in_all_three_playbooks() -> None:
    calls = scripts(["seen", "unseen"])
    assert len(calls) >= 60
    assert {c.playbook for c in calls} == {"default", "utility", "bank-cards"}
    assert len({c.name for c in calls}) == len(calls)


def test_text_figures_keep_to_their_targets() -> None:
    wrong = [(f.name, f.value, f.target) for f in figures(0, spoken=False) if f.met is False]
    assert wrong == []


def test_what_is_misheard_counts_against_the_details() -> None:
    script = next(s for s in scripts(["seen"]) if s.name == "order")

    def deaf(said: str, expects: str | None = None) -> Transcribed:
        return Transcribed(leg="caller", start=0.0, end=1.0, text=said.replace("four", "nine"))

    assert slot_marks([run(script)]) == [True]
    assert slot_marks([run(script, deaf)]) == [False]


def test_a_caller_who_asks_nobody_for_a_person_is_not_given_one() -> None:
    script = next(s for s in scripts(["seen"]) if s.name == "request-in-slot")
    assert run(script).person_in_turn is True
    assert run(replace(script, interrupt="I am looking for it.")).person_in_turn is False


def test_interval_of_a_share() -> None:
    figure = share("x", [True] * 9 + [False], at_least=0.95)
    assert figure.value == 0.9
    assert figure.interval is not None
    assert 0.59 < figure.interval[0] < 0.6
    assert figure.met is False


def test_the_line_adds_noise_at_the_level_asked_for() -> None:
    tone = (0.2 * np.sin(np.arange(8000) * 2 * np.pi * 400 / 8000)).astype(np.float32)
    line = PhoneLine(engine=None, voice="slt", snr_db=10.0, loss=0.0, seed=3)  # type: ignore[arg-type]
    noise = line.line(tone) - tone
    measured = 10 * np.log10(np.mean(tone[np.abs(tone) > 0.02] ** 2) / np.mean(noise**2))
    assert abs(measured - 10.0) < 0.5
