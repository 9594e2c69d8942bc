"""The briefing suite: its calls, and a checker that finds what nobody said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telephony.facts import BriefingBuilt, ConsentChanged, HandoffRequested
from voice.evaluation.briefing_check import unsupported
from voice.evaluation.briefings import CALLS, details, faults, slot_marks
from voice.evaluation.scripted import Outcome, run
from voice.evaluation.scripts import scripts
from voice.playbooks import load

SCRIPTS = {s.name: s for s in scripts([CALLS])}


@pytest.fixture(scope="module")
def done() -> list[Outcome]:
    return [run(s) for s in SCRIPTS.values()]


def one(name: str) -> tuple[Outcome, BriefingBuilt]:
    outcome = run(SCRIPTS[name])
    assert outcome.briefing is not None
    return outcome, outcome.briefing


def test_more_than_forty_calls_end_with_a_human_who_is_briefed(done: list[Outcome]) -> None:
    assert len(done) > 40
    assert [o.script.name for o in done if o.briefing is None] == []
    assert {o.script.reason for o in done} == {"request", "stuck", "distress", "crisis"}


def test_nothing_is_said_that_the_log_does_not_bear_out(done: list[Outcome]) -> None:
    assert {o.script.name: found for o in done if (found := faults(o))} == {}


def test_at_least_95_percent_of_the_details_are_right(done: list[Outcome]) -> None:
    marks = slot_marks(done)
    assert len(marks) > 40
    assert sum(marks) / len(marks) >= 0.95


@pytest.mark.parametrize(
    ("call", "before", "after"),
    [
        ("order-person-after-number", "four five one nine", "four five one eight"),
        ("order-person-after-number", "the status of an order", "a bill they dispute"),
        ("order-person-after-number", "sound calm", "are upset"),
        ("order-person-after-number", "They sound calm", "State unknown"),
        ("order-person-after-number", "they want to talk to a person", "possible danger to life"),
        ("order-person-after-number", "find the order and give a delivery time", "call the police"),
        ("order-person-after-number", "is not verified", "is verified"),
        ("order-person-after-number", "calm;", "calm and friendly;"),
        ("address-person", "Sam Jones", "Tim Jones"),
        ("address-person", "twelve High Street", "twenty High Street"),
        ("hours-person", "I gave the answer on opening hours", "I gave the answer on a cancellation"),
        ("hours-person", "I gave the answer on opening hours", "I reported the fault again"),
        ("distress-outage", 'said "furious"', 'said "furious at you"'),
        ("bill-amount-person", "42 dollars", "43 dollars"),
        ("nothing-but-a-person", "They have not said why", "It is about a cancellation"),
    ],
)
def test_a_changed_word_is_found(call: str, before: str, after: str) -> None:
    outcome, built = one(call)
    assert before in built.text
    playbook = load(outcome.script.playbook)
    assert len(unsupported(replace(built, text=built.text.replace(before, after)), playbook, outcome.facts)) == 1


def test_an_added_sentence_is_found() -> None:
    outcome, built = one("order-person-after-number")
    added = replace(built, text=built.text + " The caller is a valued customer.")
    found = unsupported(added, load(outcome.script.playbook), outcome.facts)
    assert any("valued" in f for f in found)


def test_calm_is_unsupported_once_the_caller_has_refused_the_analysis() -> None:
    outcome, built = one("order-person-after-number")
    facts = [*outcome.facts, ConsentChanged(purpose="emotion", allowed=False)]
    assert any("calm" in f for f in unsupported(built, load("default"), facts))
    other = [*outcome.facts, HandoffRequested(reason="crisis")]
    assert len(unsupported(built, load("default"), other)) == 2, "the reason, and what is asked of the human"


def test_evidence_must_lie_in_what_the_caller_said() -> None:
    outcome, built = one("order-person-after-number")
    fields = {**built.fields, "need": {**built.fields["need"], "evidence": [{"start": 900.0, "end": 901.0}]}}
    assert unsupported(replace(built, fields=fields), load("default"), outcome.facts) == ["evidence at 900.0 s"]


def test_a_detail_too_many_counts_as_wrong() -> None:
    outcome, built = one("order-person-after-number")
    assert slot_marks([outcome]) == [True]
    need = {**built.fields["need"], "slots": {"order_number": "4519", "amount": "3 dollars"}}
    outcome.briefing = replace(built, fields={**built.fields, "need": need})
    assert slot_marks([outcome]) == [True, False]
    assert details(None) == {}
