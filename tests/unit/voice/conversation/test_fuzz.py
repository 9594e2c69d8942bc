"""Whatever happened before: a person on request, reasons for every level, the same log gives the same commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telephony.facts import (
    ConsentChanged,
    DistressChanged,
    EmotionScored,
    Fact,
    HandoffRequested,
    HandoffState,
    HoldChanged,
    KeyPressed,
    LegsBridged,
    Said,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
)
from telephony.messages import Stamped, to_json
from tests.unit.voice.conversation.line import Line, conversation
from voice.conversation.commands import Emit, Say
from voice.conversation.distress import Distress

CALM_TURNS = (
    "Where is my order?",
    "My bill is wrong.",
    "I want to cancel my contract.",
    "My internet is down.",
    "I would like to change my address.",
    "When are you open?",
    "4519",
    "four five",
    "one two three four",
    "10115",
    "Yes.",
    "No.",
    "No thanks, that's all.",
    "Thank you very much.",
    "Hello?",
    "One moment please.",
    "Pardon?",
    "I don't know.",
    "My name is Sam Jones.",
    "twelve High Street",
    "forty dollars",
    "Are you a robot?",
    "Goodbye.",
    "The weather is nice.",
    "",
    "...",
)
UPSET_TURNS = (
    "Nobody helps me, I am desperate.",
    "This is ridiculous, I am furious.",
    "I am so scared, I have called five times.",
    "You people are liars and this is unacceptable, it is your fault.",
)
DATA = Path(__file__).parents[3] / "data"


def listed(name: str) -> list[str]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


REQUESTS = listed("requests.txt")
DANGERS = listed("dangers.txt")
FREE = ("IDLE", "OFFERED")

steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(CALM_TURNS + UPSET_TURNS)),
        st.tuples(st.just("voice"), st.sampled_from((0.02, 0.3, 0.6, 0.9, 0.99, None))),
        st.tuples(st.just("wait"), st.sampled_from((0.5, 3.0, 6.0, 12.0))),
        st.tuples(st.just("key"), st.sampled_from("1234567#")),
        st.tuples(st.just("cut"), st.sampled_from(("I", "I have four"))),
        st.tuples(st.just("refuse"), st.none()),
        st.tuples(st.just("hold"), st.booleans()),
        st.tuples(st.just("speech"), st.booleans()),
        st.tuples(st.just("state"), st.sampled_from(("IDLE", "FAILED", "DIALLING"))),
    ),
    max_size=14,
)
slow = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(script: list[tuple[str, object]]) -> Line:
    line = Line()
    line.start()
    for what, value in script:
        match what, value:
            case "say", str(text):
                line.caller(text)
            case "voice", p:
                line.voice(p if isinstance(p, float) else None)
            case "wait", float(seconds):
                line.wait(seconds)
            case "key", str(key):
                line.commit(KeyPressed(leg="caller", key=key))
            case "cut", str(heard):
                line.cut(heard)
            case "refuse", _:
                line.commit(ConsentChanged(purpose="emotion", allowed=False))
            case "hold", bool(on):
                line.commit(HoldChanged(leg="caller", on=on))
            case "speech", bool(on):
                line.commit(SpeechStarted(leg="caller", at=line.t) if on else SpeechStopped(leg="caller", at=line.t))
            case "state", str(name) if line.facts(HandoffState):
                line.state(name)
    return line


@slow
@given(steps, st.sampled_from(REQUESTS))
def test_a_request_starts_a_handoff_in_every_state(script: list[tuple[str, object]], request: str) -> None:
    line = run(script)
    under_way = line.talk._silenced()
    before = len(line.emitted(HandoffRequested))
    line.caller(request)
    assert under_way or len(line.emitted(HandoffRequested)) > before


@slow
@given(steps, st.sampled_from(DANGERS))
def test_danger_brings_number_and_person_in_every_state(script: list[tuple[str, object]], danger: str) -> None:
    line = run(script)
    if line.hung_up:
        return
    before = [e.fact.reason for e in line.emitted(HandoffRequested)]  # type: ignore[attr-defined]
    said = line.caller(danger)
    after = [e.fact.reason for e in line.emitted(HandoffRequested)]  # type: ignore[attr-defined]
    assert "crisis" in after
    assert "crisis" in before or "nine eight eight" in " ".join(said)


@slow
@given(steps)
def test_key_zero_is_the_gateways_and_silences_the_agent_in_every_state(script: list[tuple[str, object]]) -> None:
    """The gateway commits the request itself; the agent then says nothing more by itself."""
    line = run(script)
    if line.hung_up or line.talk._crisis:
        return
    line.commit(KeyPressed(leg="caller", key="0"))
    line.commit(HandoffRequested(reason="request"))
    assert line.talk._silenced()
    assert line.wait(120.0) == []


@pytest.mark.parametrize("text", [*REQUESTS, *DANGERS])
def test_every_listed_wording_works_at_the_start(text: str) -> None:
    line = Line()
    line.start()
    line.caller(text)
    assert line.emitted(HandoffRequested)


@slow
@given(steps)
def test_every_level_has_reasons_and_every_decision_its_rule(script: list[tuple[str, object]]) -> None:
    line = run(script)
    for emit in line.emitted(DistressChanged):
        assert isinstance(emit.fact, DistressChanged)
        assert emit.fact.because
        assert 0 <= emit.fact.score <= 1
        assert emit.decision is not None
        assert emit.decision.rule
        assert emit.decision.versions
    for emit in line.emitted(HandoffRequested):
        assert emit.decision is not None


@slow
@given(steps)
def test_sentences_are_whole_and_paced(script: list[tuple[str, object]]) -> None:
    rates = [165.0]
    for action in run(script).actions:
        if isinstance(action, Say):
            assert action.text.strip()
            assert "{" not in action.text
            rates.append(action.rate_wpm)
    assert all(145.0 <= r <= 180.0 for r in rates)


@slow
@given(steps)
def test_the_same_log_gives_the_same_commands(script: list[tuple[str, object]]) -> None:
    log = run(script).log
    one, two = conversation(), conversation()
    for s in log:
        assert list(one.receive(s)) == list(two.receive(s))
        assert one.deadline_s() == two.deadline_s()


@slow
@given(steps)
def test_timers_always_lie_ahead_or_run_out(script: list[tuple[str, object]]) -> None:
    line = run(script)
    for _ in range(20):
        due = line.talk.deadline_s()
        if due is None:
            return
        line.t = max(line.t, due)
        line.carry_out(line.talk.expire(line.t))
        again = line.talk.deadline_s()
        assert again is None or again > due
    raise AssertionError("timers never run out")


windows = st.lists(st.sampled_from((0.01, 0.3, 0.5, 0.8, 0.95, 0.999, None)), max_size=40)


@slow
@given(st.lists(st.sampled_from(UPSET_TURNS + CALM_TURNS), max_size=15), st.booleans())
def test_words_alone_never_distress(turns: list[str], analysed: bool) -> None:
    line = Line()
    line.start()
    for text in turns:
        line.caller(text)
        if analysed:
            line.voice(0.05, None, 0.1)
    assert all(f.level != "distress" for f in line.facts(DistressChanged) if isinstance(f, DistressChanged))


@slow
@given(windows)
def test_voice_alone_at_most_attend_unless_far_past_for_long(ps: list[float | None]) -> None:
    line = Line()
    line.start()
    line.voice(*ps)
    distress = [e for e in line.emitted(DistressChanged) if getattr(e.fact, "level", "") == "distress"]
    for emit in distress:
        assert emit.decision is not None
        assert emit.decision.rule == "distress.voice-far-past"
        assert emit.decision.inputs["far_past_windows"] >= 12


@slow
@given(windows)
def test_unknown_never_calms(ps: list[float | None]) -> None:
    """After an alarm, windows that abstain change nothing, however many."""
    line = Line()
    line.start()
    line.voice(0.999, 0.999, 0.999)
    level = line.facts(DistressChanged)[-1]
    assert getattr(level, "level", "") == "attend"
    line.voice(*[None] * (5 * len(ps)))
    assert line.facts(DistressChanged)[-1] == level


def test_a_long_shout_alone_is_distress() -> None:
    line = Line()
    line.start()
    line.voice(*[0.999] * 30)
    assert [getattr(f, "level", "") for f in line.facts(DistressChanged)] == ["attend", "distress"]


def test_offline_scoring_uses_the_fusion_alone() -> None:
    """`Distress` needs no dialogue: the same facts give the same changes."""
    facts: list[Fact] = [
        Transcribed(leg="caller", start=1.0, end=3.0, text="Nobody helps me, I am desperate, I am furious.")
    ]
    fusion = Distress(None)
    emits = [fusion.receive(Stamped(seq=n, t=3.0, fact=f)) for n, f in enumerate(facts, 1)]
    assert isinstance(emits[0], Emit)
    assert to_json(emits[0].fact)["because"]
    assert fusion.receive(Stamped(seq=2, t=4.0, fact=LegsBridged())) is None
    scored = EmotionScored(start=4.0, end=6.0, arousal=0.9, p_distress=0.9)
    assert fusion.receive(Stamped(seq=3, t=6.0, fact=scored)) is None


def test_hold_by_the_caller_stops_the_prompts() -> None:
    line = Line()
    line.start()
    line.commit(HoldChanged(leg="caller", on=True))
    assert line.wait(300.0) == []
    line.commit(HoldChanged(leg="caller", on=False))
    line.commit(Said(leg="human", start=0.0, end=1.0, text="x"))
    assert line.wait(5.1) != []
