"""Who leads the call: the choice itself, and its record in whole calls."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telephony.facts import DistressChanged, HandoffOffered, ModeChanged
from telephony.summary import summarise
from tests.unit.voice.conversation.line import Line, conversation
from voice.handoff import policy
from voice.playbooks import load

unit = st.floats(0, 1)
modes = st.sampled_from(("ai-led", "tag-team", "ai-gathers", "human-led"))


def started(name: str = "default") -> Line:
    line = Line(talk=conversation(playbook=load(name)))
    line.start()
    return line


def led(line: Line) -> list[str]:
    return [f.mode for f in line.facts(ModeChanged) if isinstance(f, ModeChanged)]


@given(unit, unit, unit, modes)
def test_a_prior_moves_only_towards_a_person(affect: float, hard: float, sure: float, prior: policy.Mode) -> None:
    order = ("ai-led", "tag-team", "ai-gathers", "human-led")
    chosen, led_by = policy.mode(affect, hard, sure), policy.lead(affect, hard, sure, prior)
    assert order.index(led_by) == max(order.index(chosen), order.index(prior))


@given(unit, unit, unit)
def test_more_affect_never_moves_from_a_person_to_the_agent_alone(affect: float, hard: float, sure: float) -> None:
    if policy.mode(affect, hard, sure) == "human-led":
        assert policy.mode(1.0, hard, sure) == "human-led"
    if policy.mode(1.0, hard, sure) == "ai-led":
        raise AssertionError("an upset caller is never left to the agent alone")


def test_calm_routine_call_is_led_by_the_agent_and_logged_with_its_version() -> None:
    line = started()
    for text in ("Where is my order 4519?", "Yes.", "No thanks."):
        line.caller(text)
    assert led(line) == ["ai-led"]
    decision = line.emitted(ModeChanged)[0].decision
    assert decision is not None
    assert decision.rule == "mode"
    assert decision.versions == {"mode": policy.VERSION}
    assert {"affect", "complexity", "confidence", "prior"} <= set(decision.inputs)


def test_frustration_and_urgency_are_tracked_apart() -> None:
    line = started()
    line.caller("Where is my order?")
    line.caller("I need it today, it is urgent, and this is ridiculous, you people are useless.")
    last = line.facts(ModeChanged)[-1]
    assert isinstance(last, ModeChanged)
    assert last.mode in ("tag-team", "human-led")
    assert last.frustration >= 0.5
    assert last.urgency >= 0.5
    assert last.uncertainty == 0.0


def test_callers_uncertainty_and_the_agents_own() -> None:
    line = started()
    line.caller("I am not sure, maybe I have a question, I don't know.")
    tracks = line.talk._leading.tracks
    assert tracks.uncertainty >= 0.5
    line.caller("Flibber gibbet wobble.")
    assert tracks.own > 0.3


def test_upset_and_stuck_is_offered_a_person_after_one_misunderstanding() -> None:
    line = started()
    line.voice(0.95, 0.95, 0.95)
    line.caller("Where is my order?")
    line.caller("4519")
    line.caller("My aunt says hello banana.")
    assert not line.facts(HandoffOffered)
    line.caller("Purple monday elephants sing.")
    assert line.facts(HandoffOffered)
    assert [f.level for f in line.facts(DistressChanged) if isinstance(f, DistressChanged)] == ["attend"]


def test_a_death_is_led_by_a_person_whatever_the_voice() -> None:
    line = started("bank-cards")
    line.caller("My mother passed away.")
    assert led(line)[-1] == "human-led"


def test_summary_carries_mode_and_review() -> None:
    line = started()
    line.caller("I want to end my life.")
    summary = summarise("c", [s.to_json() for s in line.log])
    assert summary["review"] == "crisis"
    assert summary["mode"]
