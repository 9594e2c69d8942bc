"""A call back: the human first and willing, then the caller; whatever happens, nobody is left without a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from telephony.callback_machine import CallBack
from telephony.facts import CallEnded, Fact, HandoffState, KeyPressed, LegsBridged
from telephony.messages import Stamped
from telephony.transfer_messages import (
    BridgeLegs,
    CallerAnswered,
    CallerFailed,
    CallerLeft,
    Command,
    Commit,
    DialCaller,
    EndCall,
    Event,
    HangUpHuman,
    HumanLeft,
    HumanSilent,
    Policy,
    PromptPlayed,
    StartHumanHold,
    TellCaller,
    TellHuman,
)


class Phones:
    """Both phones and the caller's and human's ears, round a real `CallBack`."""

    def __init__(self, *, last: bool = False) -> None:
        self.machine = CallBack("ann", Policy(), last=last)
        self.t = 0.0
        self.human, self.caller, self.dialled, self.joined = True, False, False, False
        self.consents = 0
        self.human_hears = self.caller_hears = ""
        self.ended: EndCall | None = None
        self.last = last
        self.log: list[Command] = []
        self.carry_out(self.machine.begin())

    def carry_out(self, commands: Sequence[Command]) -> list[Command]:
        for command in commands:
            self.log.append(command)
            assert self.ended is None, f"after the end: {command}"
            match command:
                case TellHuman(prompt=prompt):
                    assert self.human, f"{prompt} to nobody"
                    assert self.consents >= 1 or prompt in ("callback_screening", "declined_bye"), prompt
                    self.human_hears = prompt
                case TellCaller(prompt=prompt):
                    assert self.caller, f"{prompt} to nobody"
                    assert prompt != "callback_again" or not self.last, "promised another call that nobody will make"
                    self.caller_hears = prompt
                case DialCaller():
                    assert self.consents >= 2, "called without a human who agreed"
                    assert self.human
                    assert not self.dialled, "called twice"
                    self.dialled = True
                case BridgeLegs():
                    assert self.human
                    assert self.caller
                    assert self.caller_hears == "callback_hello", "joined before the caller knew who calls"
                    self.joined = True
                case HangUpHuman():
                    self.human = False
                case EndCall():
                    self.ended = command
        if self.ended is not None:
            assert self.machine.deadline_s() is None
        else:
            assert self.machine.deadline_s() is not None, "nobody watches this call"
        return [c for c in commands if not isinstance(c, Commit)]

    def fact(self, fact: Fact) -> list[Command]:
        return self.carry_out(self.machine.receive(Stamped(seq=1, t=self.t, fact=fact)))

    def event(self, kind: type[Event], **fields: Any) -> list[Command]:
        return self.carry_out(self.machine.receive(kind(t=self.t, **fields)))

    def expire(self, to_s: float | None = None) -> list[Command]:
        due_s = self.machine.deadline_s()
        self.t = max(self.t, (due_s or self.t) if to_s is None else to_s)
        return self.carry_out(self.machine.expire(self.t))

    def do(self, name: str) -> list[Command]:
        match name:
            case "1" | "2" | "3":
                if not self.human:
                    return []
                self.consents += name == "1"
                return self.fact(KeyPressed(leg="human", key=name))
            case "human_played":
                return self.event(PromptPlayed, leg="human", prompt=self.human_hears)
            case "caller_played":
                return self.event(PromptPlayed, leg="caller", prompt=self.caller_hears)
            case "human_left":
                there, self.human = self.human, False
                return self.event(HumanLeft) if there else []
            case "human_silent":
                return self.event(HumanSilent) if self.human and self.joined else []
            case "caller_answers":
                if not self.dialled or self.caller:
                    return []
                self.caller = True
                return self.event(CallerAnswered)
            case "caller_busy":
                return self.event(CallerFailed, status=486) if self.dialled and not self.caller else []
            case "caller_left":
                there, self.caller = self.caller, False
                return self.event(CallerLeft) if there else []
            case "bridged":
                return self.fact(LegsBridged()) if self.joined else []
        raise ValueError(name)

    def states(self) -> list[str]:
        return [c.fact.state for c in self.log if isinstance(c, Commit) and isinstance(c.fact, HandoffState)]


def calling(*, last: bool = False) -> Phones:
    phones = Phones(last=last)
    phones.do("human_played")
    phones.do("1")
    phones.do("human_played")
    phones.do("1")
    return phones


def joined(*, last: bool = False) -> Phones:
    phones = calling(last=last)
    phones.do("caller_answers")
    phones.do("caller_played")
    phones.do("bridged")
    return phones


def test_from_the_human_s_answer_to_both_talking() -> None:
    phones = Phones()
    assert phones.do("human_played") == []
    assert phones.do("1") == [TellHuman(prompt="callback_briefing")]
    assert phones.do("human_played") == [TellHuman(prompt="callback_decide")]
    assert phones.do("3") == [TellHuman(prompt="callback_briefing")]
    assert phones.do("1") == [TellHuman(prompt="callback_dialling"), StartHumanHold(), DialCaller()]
    assert phones.do("caller_answers") == [TellCaller(prompt="callback_hello")]
    assert phones.do("caller_played") == [BridgeLegs()]
    assert phones.do("bridged") == [TellHuman(prompt="intro_human")]
    phones.t = 100.0
    assert phones.do("human_left") == [EndCall(cause="human-hung-up", ending="with-human")]
    assert phones.states() == [
        "SCREENING", "BRIEFING", "DECIDING", "BRIEFING", "BRIDGING", "BRIDGED", "RELEASED",
    ]  # fmt: skip


def test_a_machine_that_answers_for_the_human_hears_nothing_of_the_caller_and_calls_nobody() -> None:
    phones = Phones()
    phones.do("human_played")
    assert phones.expire() == [EndCall(cause="no-consent", ending="told-and-callback")]
    assert not phones.dialled


def test_the_human_says_not_now() -> None:
    phones = Phones()
    phones.do("1")
    assert phones.do("2") == [TellHuman(prompt="declined_bye")]
    assert phones.do("human_played") == [EndCall(cause="declined", ending="told-and-callback")]


def test_the_caller_does_not_answer() -> None:
    phones = calling()
    assert phones.expire(phones.t + 30.0) == [TellHuman(prompt="callback_unanswered")]
    assert phones.do("human_played") == [EndCall(cause="caller-unanswered", ending="told-and-callback")]


def test_the_caller_hangs_up_on_the_announcement() -> None:
    phones = calling()
    phones.do("caller_answers")
    assert phones.do("caller_left") == [TellHuman(prompt="caller_gone")]
    assert phones.do("human_played") == [EndCall(cause="caller-left", ending="caller-left")]


def test_the_human_goes_when_the_caller_has_just_answered() -> None:
    for last, prompt in ((False, "callback_again"), (True, "callback_lost")):
        phones = calling(last=last)
        phones.do("caller_answers")
        assert phones.do("human_left") == [TellCaller(prompt=prompt)]
        assert phones.do("caller_played") == [EndCall(cause="human-dropped", ending="told-and-callback")]


def test_the_human_s_sound_stops() -> None:
    phones = joined()
    phones.t = 60.0
    assert phones.do("human_silent") == [HangUpHuman(), TellCaller(prompt="callback_again")]


def test_two_hours_are_enough() -> None:
    phones = joined()
    assert phones.expire(7200.0) == [EndCall(cause="hard-limit", ending="with-human")]


NAMES = (
    "1", "2", "3", "human_played", "caller_played", "human_left", "human_silent", "caller_answers", "caller_busy",
    "caller_left", "bridged",
)  # fmt: skip


class CallBackMachine(RuleBasedStateMachine):
    @initialize(last=st.booleans())
    def begin(self, last: bool) -> None:
        self.phones = Phones(last=last)

    @precondition(lambda self: self.phones.ended is None)
    @rule(name=st.sampled_from(NAMES))
    def happens(self, name: str) -> None:
        self.phones.do(name)

    @precondition(lambda self: self.phones.ended is not None)
    @rule()
    def nothing_happens_after_the_end(self) -> None:
        assert not self.phones.machine.receive(HumanLeft(t=self.phones.t))

    @precondition(lambda self: self.phones.ended is None)
    @rule(s=st.floats(0, 40))
    def time_passes(self, s: float) -> None:
        self.phones.expire(self.phones.t + s)

    def teardown(self) -> None:
        if not hasattr(self, "phones"):
            return
        phones = self.phones
        while phones.ended is None:
            phones.expire()
        assert not phones.machine.receive(Stamped(seq=9, t=phones.t, fact=CallEnded(cause="x", ending="resolved")))


TestCallBackMachine = CallBackMachine.TestCase
TestCallBackMachine.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)
