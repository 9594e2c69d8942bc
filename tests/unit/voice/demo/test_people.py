"""The demo's people: when they speak, what they answer, when they are silent."""

from __future__ import annotations

from typing import Any

import pytest

from voice.demo.people import Agent, Caller, Do
from voice.demo.scenario import load


class Line:
    """A phone's events with a clock that we turn."""

    def __init__(self, person: Caller | Agent) -> None:
        self.person = person
        self.t = 1000.0
        self.event("answered")

    def event(self, name: str, **data: Any) -> None:
        self.person.ear.phone({"event": name, "t": self.t, "at_s": self.t - 1000.0, **data})

    def far_speaks(self, seconds: float) -> None:
        self.event("heard_speech_start")
        self.t += seconds
        self.event("heard_speech_end")

    def waits(self, seconds: float) -> list[Do]:
        done = []
        end = self.t + seconds
        while self.t < end:
            self.t += 0.05
            if (do := self.person.step(self.t)) is not None:
                done.append(do)
        return done

    def plays(self, seconds: float = 2.0) -> None:
        self.t += seconds
        self.event("played")

    def agent_says(self, text: str, prompt: str = "") -> None:
        self.far_speaks(2.0)
        self.person.fact({"fact": "Said", "leg": "caller", "text": text, "prompt": prompt})


@pytest.fixture
def caller() -> Line:
    line = Line(Caller(scenario=load("distress")))
    line.agent_says("Automated assistant.", prompt="disclosure")
    line.person.fact({"fact": "Disclosed"})
    return line


def greeted(line: Line) -> Line:
    line.agent_says("How can I help you today?")
    return line


def test_the_caller_waits_for_the_greeting_and_for_quiet(caller: Line) -> None:
    assert caller.waits(2.0) == []
    greeted(caller)
    assert caller.waits(0.8) == []
    assert caller.waits(0.3) == [Do(say="order_1")]


def test_the_caller_never_speaks_into_the_agents_sentence(caller: Line) -> None:
    greeted(caller)
    caller.event("heard_speech_start")
    assert caller.waits(20.0) == []


def test_one_sentence_a_turn(caller: Line) -> None:
    greeted(caller)
    assert caller.waits(1.0) == [Do(say="order_1")]
    caller.plays()
    assert caller.waits(3.0) == []
    caller.agent_says("What is your order number?")
    assert caller.waits(1.0) == [Do(say="order_2")]


def test_a_sentence_that_was_cut_is_waited_for_again(caller: Line) -> None:
    greeted(caller)
    caller.waits(1.0)
    caller.plays()
    caller.far_speaks(1.0)
    caller.person.fact({"fact": "Said", "leg": "caller", "text": "What is", "prompt": "", "cut": True})
    assert caller.waits(4.0) == []
    caller.agent_says("What is your order number?")
    assert caller.waits(1.0) == [Do(say="order_2")]


def test_a_mute_agent_is_spoken_to_anyway(caller: Line) -> None:
    greeted(caller)
    caller.waits(1.0)
    caller.plays()
    assert caller.waits(9.0) == [Do(say="order_2")]


def test_an_offer_is_answered_whenever_it_comes(caller: Line) -> None:
    greeted(caller)
    caller.waits(1.0)
    caller.plays()
    caller.person.fact({"fact": "HandoffOffered", "reason": "distress"})
    caller.agent_says("I'd like to bring in a colleague. Is that all right?")
    assert caller.waits(1.0) == [Do(say="yes_upset")]


def test_a_wrong_number_is_corrected_and_the_right_one_is_not(caller: Line) -> None:
    greeted(caller)
    caller.waits(1.0)
    caller.plays()
    caller.agent_says("What is your order number?")
    caller.waits(1.0)
    caller.plays()
    caller.agent_says("I have 2, 0, 4, 9 for the order number. Is that right?")
    assert caller.waits(1.0) == [Do(say="order_2_again")]
    caller.plays()
    caller.agent_says("I have two zero four six for the order number. Is that right?")
    assert caller.waits(1.0) == [Do(say="upset_3")]


def test_not_understood_says_it_again_but_not_for_ever() -> None:
    line = Line(Caller(scenario=load("calm")))
    line.person.fact({"fact": "Disclosed"})
    greeted(line)
    assert line.waits(1.0) == [Do(say="where_is_my_order")]
    for _ in range(3):
        line.plays()
        line.agent_says("I did not catch that. Please say it another way.")
        assert line.waits(1.0) == [Do(say="where_is_my_order")]
    line.plays()
    line.agent_says("I did not catch that. Please say it another way.")
    assert line.waits(1.0) == [Do(say="order_4519")]


@pytest.mark.parametrize("state", ["HOLDING", "DIALLING", "SCREENING", "BRIEFING", "DECIDING"])
def test_on_hold_the_caller_is_silent(caller: Line, state: str) -> None:
    greeted(caller)
    caller.person.fact({"fact": "HandoffState", "state": state})
    assert caller.waits(30.0) == []


def test_after_the_bridge_the_caller_answers_the_human_only(caller: Line) -> None:
    greeted(caller)
    caller.person.fact({"fact": "HandoffState", "state": "BRIDGED"})
    caller.person.fact({"fact": "LegsBridged"})
    caller.agent_says("My colleague is on the line now.", prompt="intro_caller")
    assert caller.waits(3.0) == []
    caller.far_speaks(4.0)
    caller.person.human_spoke()  # type: ignore[union-attr]
    assert caller.waits(1.0) == [Do(say="thanks_upset")]


def test_a_caller_with_nothing_left_to_say_hangs_up() -> None:
    line = Line(Caller(scenario=load("calm")))
    line.person.fact({"fact": "Disclosed"})
    for clip in load("calm").says:
        line.agent_says("Yes?")
        assert line.waits(1.0) == [Do(say=clip)]
        line.plays()
    line.agent_says("Yes?")
    assert line.waits(1.0) == [Do(hang_up=True)]


@pytest.fixture
def human() -> Line:
    return Line(Agent(human=load("distress").humans[0]))


def to_human(line: Line, text: str, prompt: str) -> None:
    line.far_speaks(3.0)
    line.person.fact({"fact": "Said", "leg": "human", "text": text, "prompt": prompt})


def test_the_human_presses_once_for_the_summary_and_once_for_the_caller(human: Line) -> None:
    assert human.waits(3.0) == []
    to_human(human, "A caller needs a person.", "screening")
    assert human.waits(2.0) == [Do(key="1")]
    to_human(human, "The caller …", "briefing")
    assert human.waits(2.0) == []
    to_human(human, "Press 1 to take the call.", "decide")
    assert human.waits(2.0) == [Do(key="1")]
    assert human.waits(5.0) == []


def test_the_human_greets_waits_for_an_answer_closes_and_hangs_up(human: Line) -> None:
    human.person.fact({"fact": "LegsBridged"})
    to_human(human, "The caller is on the line now.", "intro_human")
    assert human.waits(1.0) == [Do(say="human_hello_order")]
    human.plays(6.0)
    assert human.waits(3.0) == []
    human.far_speaks(2.0)
    assert human.waits(1.0) == [Do(say="human_close_order")]
    human.plays(4.0)
    human.far_speaks(1.5)
    assert human.waits(1.0) == [Do(hang_up=True)]


def test_a_silent_caller_does_not_keep_the_human_for_ever(human: Line) -> None:
    human.person.fact({"fact": "LegsBridged"})
    human.waits(5.0)
    human.plays(6.0)
    assert human.waits(6.0) == [Do(say="human_close_order")]
