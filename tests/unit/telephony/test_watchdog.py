"""A caller is never left in silence, and a call never outlives its limits. Times in seconds of call time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.facts import (
    BargedIn,
    CallAnswered,
    CallbackTicketed,
    CallEnded,
    Disclosed,
    Fact,
    HandoffRequested,
    HandoffState,
    HoldChanged,
    KeyPressed,
    LegsBridged,
    Said,
    SpeechStarted,
    SpeechStopped,
    State,
    Transcribed,
    WorkerAttached,
    WorkerLost,
)
from telephony.media_watch import MediaWatch
from telephony.messages import Stamped
from telephony.transfer import CallerLeft, Command, Commit, EndCall, Event, PromptPlayed, TellCaller, TicketCallback
from telephony.transfer_messages import (
    AudioHeard,
    AudioSent,
    GiveUpHuman,
    HumanLeft,
    RtpReceived,
    WorkerGone,
    WorkerHere,
)
from telephony.watchdog import Watchdog
from telephony.watchdog_limits import Limits

PLEASE_WAIT = TellCaller(prompt="please_wait")
STILL_THERE = TellCaller(prompt="still_there")


class Call:
    """A call's watchdogs, with packets from both as long as ``packets`` and ``human_packets`` are true, and a clock."""

    def __init__(self) -> None:
        self.dogs = (Watchdog(), MediaWatch())
        self.human_packets = True
        self.t = 0.0
        self.packets = True
        self.out: list[tuple[float, Command]] = []
        self.fact(CallAnswered(from_="sip:a@b", to="sip:c@d", codec="pcmu", at="2024-01-01T00:00:00Z"))
        self.event(WorkerHere(t=0.0))

    def fact(self, fact: Fact) -> None:
        for dog in self.dogs:
            self._keep(dog.receive(Stamped(seq=1, t=self.t, fact=fact)))

    def event(self, event: Event) -> None:
        for dog in self.dogs:
            self._keep(dog.receive(event))

    def until(self, t: float, *, sent: bool = False, heard: bool = False) -> list[tuple[float, Command]]:
        """Lets time pass in 100 ms steps; returns what the watchdog did meanwhile."""
        before = len(self.out)
        while self.t < t - 1e-9:
            self.t = round(self.t + 0.1, 3)
            if self.packets:
                self.event(RtpReceived(t=self.t, leg="caller"))
            if self.human_packets:
                self.event(RtpReceived(t=self.t, leg="human"))
            if sent:
                self.event(AudioSent(t=self.t, leg="caller"))
            if heard:
                self.event(AudioHeard(t=self.t, leg="caller"))
            for dog in self.dogs:
                due_s = dog.deadline_s()
                if due_s is not None and due_s <= self.t:
                    self._keep(dog.expire(self.t))
        return self.out[before:]

    def _keep(self, commands: Sequence[Command]) -> None:
        self.out += [(self.t, command) for command in commands]
        for command in commands:
            if isinstance(command, EndCall):
                self.fact(CallEnded(cause=command.cause, ending=command.ending))

    def agent_says(self, t: float) -> None:
        self.until(t, sent=True)
        self.fact(Said(leg="caller", start=t - 1, end=t, text="…"))

    def caller_says(self, t: float) -> None:
        self.fact(SpeechStarted(leg="caller", at=self.t))
        self.until(t, heard=True)
        self.fact(SpeechStopped(leg="caller", at=t))
        self.fact(Transcribed(leg="caller", start=t - 1, end=t, text="My order."))

    def state(self, state: State) -> None:
        self.fact(HandoffState(state=state))


def in_conversation() -> Call:
    """At t = 10 the agent has said something, and it is the caller's turn."""
    call = Call()
    call.until(6.0, sent=True)
    call.fact(Disclosed(text="…", start=0.0, end=6.0))
    call.agent_says(10.0)
    assert call.out == []
    return call


def with_human(joined_s: float = 20.0) -> Call:
    call = in_conversation()
    call.until(joined_s, sent=True)
    for state in ("HOLDING", "DIALLING", "ANSWERED", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING"):
        call.state(state)  # type: ignore[arg-type]
    call.fact(LegsBridged(human="ann"))
    call.state("BRIDGED")
    call.state("RELEASED")
    return call


def requested(done: list[tuple[float, Command]]) -> list[tuple[float, str, str]]:
    return [
        (t, c.fact.reason, c.decision.rule if c.decision else "")
        for t, c in done
        if isinstance(c, Commit) and isinstance(c.fact, HandoffRequested)
    ]


# --- the caller waits for us ---


def test_a_late_answer_is_bridged_by_one_sentence_within_1200_ms() -> None:
    call = in_conversation()
    call.caller_says(13.0)
    assert call.until(17.0) == [(14.1, PLEASE_WAIT)]


def test_a_prompt_answer_needs_no_sentence() -> None:
    call = in_conversation()
    call.caller_says(13.0)
    call.until(14.0)
    call.agent_says(16.0)
    assert call.out == []


def test_an_end_of_turn_that_took_long_leaves_the_reply_a_moment() -> None:
    call = in_conversation()
    call.fact(SpeechStarted(leg="caller", at=10.0))
    call.until(12.0, heard=True)
    call.fact(SpeechStopped(leg="caller", at=12.0))
    call.until(13.0)
    call.fact(Transcribed(leg="caller", start=10.0, end=12.0, text="My order."))
    assert call.until(14.5) == [(13.6, PLEASE_WAIT)]


def test_words_that_came_late_do_not_stretch_dead_air_to_two_seconds() -> None:
    call = in_conversation()
    call.fact(SpeechStarted(leg="caller", at=10.0))
    call.until(12.0, heard=True)
    call.fact(SpeechStopped(leg="caller", at=12.0))
    call.until(13.4)
    call.fact(Transcribed(leg="caller", start=10.0, end=12.0, text="My order."))
    assert call.until(15.0) == [(13.8, PLEASE_WAIT)]


def spoken_without_words(length_s: float) -> Call:
    """The caller has spoken until 12.0 s, and the recogniser says nothing."""
    call = in_conversation()
    call.until(12.0 - length_s)
    call.fact(SpeechStarted(leg="caller", at=12.0 - length_s))
    call.until(12.0, heard=True)
    call.fact(SpeechStopped(leg="caller", at=12.0))
    return call


def test_a_slow_recogniser_is_no_silence_for_the_caller() -> None:
    assert spoken_without_words(3.0).until(16.0) == [(13.8, PLEASE_WAIT)]


def test_a_cough_is_not_asked_to_wait() -> None:
    assert spoken_without_words(0.5).until(16.0) == []


def test_noise_without_words_is_asked_to_wait_once() -> None:
    call = spoken_without_words(1.5)
    call.until(15.0)
    call.fact(SpeechStarted(leg="caller", at=15.0))
    call.until(17.0, heard=True)
    call.fact(SpeechStopped(leg="caller", at=17.0))
    call.until(20.0)
    assert call.out == [(13.8, PLEASE_WAIT)]


def test_a_worker_that_stays_mute_loses_the_caller_to_a_human() -> None:
    call = in_conversation()
    call.caller_says(13.0)
    done = call.until(30.0)
    assert done[0] == (14.1, PLEASE_WAIT)
    assert requested(done) == [(21.0, "stuck", "watchdog.mute")]
    assert len(done) == 2


def test_a_murmur_without_a_word_asks_for_no_answer() -> None:
    call = in_conversation()
    call.fact(Transcribed(leg="caller", start=9.0, end=10.0, text=" … "))
    assert call.until(29.0) == []


def test_our_own_prompt_is_not_the_worker_speaking() -> None:
    call = in_conversation()
    call.caller_says(13.0)
    call.until(14.4)
    call.until(16.0, sent=True)
    call.event(PromptPlayed(t=16.0, leg="caller", prompt="please_wait"))
    assert requested(call.until(30.0)) == [(21.0, "stuck", "watchdog.mute")]


def test_a_long_answer_is_not_a_mute_worker() -> None:
    call = in_conversation()
    call.caller_says(13.0)
    call.agent_says(40.0)
    assert call.out == []


def test_barge_in_gives_the_caller_the_turn() -> None:
    call = in_conversation()
    call.caller_says(13.0)
    call.until(14.0, sent=True)
    call.fact(BargedIn(heard_text="…", stopped_after_ms=80.0))
    assert call.until(20.0) == []


def test_hold_without_sound_is_noticed_again_and_again() -> None:
    call = in_conversation()
    call.state("HOLDING")
    call.state("DIALLING")
    assert call.until(20.0, sent=True) == []
    assert call.until(28.0) == [(21.1, PLEASE_WAIT), (26.1, PLEASE_WAIT)]
    call.until(40.0, sent=True)
    assert requested(call.out) == [], "a human is on the way"


# --- the worker is lost ---


@pytest.mark.parametrize("as_event", [True, False])
def test_without_another_worker_a_human_is_due_after_two_seconds(as_event: bool) -> None:
    call = in_conversation()
    if as_event:
        call.event(WorkerGone(t=10.0))
    call.fact(WorkerLost(worker="w1", cause="killed"))
    done = call.until(13.0, sent=True)
    assert requested(done) == [(12.0, "worker-lost", "watchdog.worker")]
    call.state("HOLDING")
    assert requested(call.until(30.0, sent=True)) == []


@pytest.mark.parametrize("as_event", [True, False])
def test_with_another_worker_the_call_goes_on(as_event: bool) -> None:
    call = in_conversation()
    call.fact(WorkerLost(worker="w1", cause="killed"))
    call.until(11.5, sent=True)
    if as_event:
        call.event(WorkerHere(t=11.5))
    else:
        call.fact(WorkerAttached(worker="w2", resumed=True))
    assert requested(call.until(15.0, sent=True)) == []


def test_a_worker_lost_during_a_handoff_that_fails_is_missed_then() -> None:
    call = in_conversation()
    call.state("HOLDING")
    call.event(WorkerGone(t=10.0))
    call.until(30.0, sent=True)
    call.state("IDLE")
    assert requested(call.until(40.0, sent=True)) == [(32.0, "worker-lost", "watchdog.worker")]


# --- the caller is silent ---


def test_mutual_silence_is_broken_and_then_brings_a_human_but_never_ends_the_call() -> None:
    call = in_conversation()
    done = call.until(200.0)
    assert done[0] == (30.0, STILL_THERE)
    assert requested(done) == [(70.0, "stuck", "watchdog.silence_handoff")]
    assert len(done) == 2


def test_the_dialogue_that_prompts_by_itself_is_left_alone() -> None:
    call = in_conversation()
    for t in (17.0, 22.0, 32.0):
        call.until(t - 2.0)
        call.agent_says(t)
    assert call.out == []


def test_a_key_is_a_sign_of_life() -> None:
    call = in_conversation()
    call.until(25.0)
    call.fact(KeyPressed(leg="caller", key="4"))
    assert call.until(46.0) == [(45.0, STILL_THERE)]


def test_a_caller_who_speaks_is_not_silent_however_long() -> None:
    call = in_conversation()
    call.fact(SpeechStarted(leg="caller", at=10.0))
    assert call.until(100.0, heard=True) == []


# --- the line ---


def test_a_caller_who_vanished_is_asked_and_then_let_go() -> None:
    call = in_conversation()
    call.packets = False
    assert call.until(60.0) == [(15.0, STILL_THERE), (25.0, EndCall(cause="media-timeout", ending="caller-left"))]
    assert call.dogs[1].deadline_s() is None


def test_packets_that_come_back_are_asked_for_again_the_next_time() -> None:
    call = in_conversation()
    for _ in range(2):
        call.packets = False
        call.until(call.t + 6.0)
        call.packets = True
        call.until(call.t + 1.0, heard=True)
        call.agent_says(call.t + 1.0)
    assert [c for _, c in call.out] == [STILL_THERE, STILL_THERE]


def test_a_caller_who_holds_us_may_take_any_time() -> None:
    call = in_conversation()
    call.packets = False
    call.fact(HoldChanged(leg="caller", on=True))
    assert call.until(300.0) == []
    call.fact(HoldChanged(leg="caller", on=False))
    call.packets = True
    assert call.until(301.0) == []


def test_packets_that_never_came() -> None:
    call = Call()
    call.packets = False
    done = call.until(40.0, sent=True)
    assert done[-1] == (30.0, EndCall(cause="media-timeout", ending="caller-left"))


def test_a_caller_who_was_heard_is_there_whether_or_not_packets_are_reported() -> None:
    call = Call()
    call.packets = False
    assert not [c for _, c in call.until(60.0, sent=True, heard=True) if isinstance(c, EndCall)]


def test_a_hold_before_the_first_packet() -> None:
    call = Call()
    call.packets = False
    call.fact(HoldChanged(leg="caller", on=True))
    assert call.until(100.0) == []


def test_a_caller_vanishing_from_a_human_has_been_with_a_human() -> None:
    call = with_human()
    call.until(50.0)
    call.packets = False
    assert call.until(80.0) == [(65.0, EndCall(cause="media-timeout", ending="with-human"))]


def test_a_caller_vanishing_right_after_the_bridge_has_not() -> None:
    call = with_human()
    call.packets = False
    call.event(CallerLeft(t=21.0))
    assert call.until(40.0) == [(27.0, EndCall(cause="caller-left", ending="caller-left"))]


def test_a_human_whose_packets_stop_is_given_up_and_the_caller_is_not_left_with_nobody() -> None:
    call = with_human()
    call.until(50.0)
    call.human_packets = False
    assert call.until(80.0) == [(65.0, GiveUpHuman())]


def test_a_human_who_never_sends_a_packet_is_given_up_too() -> None:
    call = Call()
    call.human_packets = False
    call.until(20.0, sent=True)
    for state in ("HOLDING", "DIALLING", "ANSWERED", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING"):
        call.state(state)
    call.fact(LegsBridged(human="ann"))
    call.state("BRIDGED")
    call.state("RELEASED")
    assert call.until(40.0) == [(35.0, GiveUpHuman())]


def test_a_human_who_holds_us_is_there() -> None:
    call = with_human()
    call.fact(HoldChanged(leg="human", on=True))
    call.human_packets = False
    assert call.until(100.0) == []
    call.fact(HoldChanged(leg="human", on=False))
    assert call.until(120.0) == [(115.0, GiveUpHuman())]


def test_a_call_back_counts_packets_from_the_bridge_on() -> None:
    dog = MediaWatch(calls_back=True)
    dog.receive(Stamped(seq=1, t=0.0, fact=CallAnswered(from_="1", to="2", codec="", at="")))
    assert dog.deadline_s() is None, "the caller is not even rung yet"
    dog.receive(Stamped(seq=2, t=40.0, fact=LegsBridged(human="ann")))
    assert dog.deadline_s() == 45.0
    dog.receive(Stamped(seq=3, t=40.0, fact=HandoffState(state="RELEASED")))
    assert dog.deadline_s() == 55.0


def test_people_who_talk_to_each_other_may_be_silent() -> None:
    assert with_human().until(300.0) == []


# --- endings ---


def test_a_call_without_a_caller_is_ended_if_nobody_else_ends_it() -> None:
    call = in_conversation()
    call.event(CallerLeft(t=10.0))
    assert call.until(30.0) == [(16.0, EndCall(cause="caller-left", ending="caller-left"))]


def test_an_ended_call_is_left_alone() -> None:
    call = in_conversation()
    call.fact(CallEnded(cause="finished", ending="resolved"))
    assert [dog.deadline_s() for dog in call.dogs] == [None, None]
    assert call.until(200.0) == []


def busy_until(call: Call, t: float) -> None:
    """A conversation that goes on for hours; only what the watchdog needs to see of it."""
    call.t = t
    call.event(RtpReceived(t=t, leg="caller"))
    call.event(RtpReceived(t=t, leg="human"))
    call.event(AudioSent(t=t, leg="caller"))
    call.fact(Said(leg="caller", start=t, end=t, text="…"))


def test_two_hours_are_enough_and_the_caller_is_called_back() -> None:
    call = in_conversation()
    busy_until(call, 7199.0)
    assert call.until(7201.0) == [(7200.0, TicketCallback()), (7200.0, TellCaller(prompt="nobody_callback"))]
    call.fact(CallbackTicketed(ref="r", number="n", window="w"))
    call.event(PromptPlayed(t=call.t, leg="caller", prompt="please_wait"))
    call.event(PromptPlayed(t=call.t, leg="caller", prompt="nobody_callback"))
    assert call.out[-1] == (call.t, EndCall(cause="hard-limit", ending="told-and-callback"))


def test_two_hours_are_enough_even_if_the_farewell_is_never_reported() -> None:
    call = in_conversation()
    busy_until(call, 7199.0)
    assert call.until(7300.0)[-1] == (7220.0, EndCall(cause="hard-limit", ending="told-and-callback"))


def test_two_hours_are_enough_with_a_human_too() -> None:
    call = with_human()
    busy_until(call, 7199.0)
    assert call.until(7201.0) == [(7200.0, EndCall(cause="hard-limit", ending="with-human"))]


def test_a_prompt_elsewhere_or_an_event_of_the_human_is_not_its_business() -> None:
    call = in_conversation()
    call.event(PromptPlayed(t=10.0, leg="caller", prompt="nobody_callback"))
    call.event(HumanLeft(t=10.0))
    assert call.out == []


def test_several_rules_at_once_end_the_call_once() -> None:
    call = in_conversation()
    call.packets = False
    call.event(CallerLeft(t=10.0))
    commands = call.dogs[0].expire(10_000.0)
    assert [type(c) for c in commands].count(EndCall) == 1
    assert isinstance(commands[-1], EndCall)


_FACTS: tuple[Fact, ...] = (
    Disclosed(text="…", start=0.0, end=1.0),
    Said(leg="caller", start=0.0, end=1.0, text="…"),
    SpeechStarted(leg="caller", at=0.0),
    SpeechStopped(leg="caller", at=0.0),
    Transcribed(leg="caller", start=0.0, end=1.0, text="My order."),
    BargedIn(heard_text="", stopped_after_ms=1.0),
    HoldChanged(leg="caller", on=True),
    HoldChanged(leg="caller", on=False),
    WorkerLost(worker="w", cause="killed"),
    WorkerAttached(worker="w"),
    HandoffState(state="OFFERED"),
    HandoffState(state="HOLDING"),
    HandoffState(state="FAILED"),
    HandoffState(state="IDLE"),
    LegsBridged(human="ann"),
    HandoffState(state="RELEASED"),
)


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(_FACTS), st.floats(0.0, 8.0)), max_size=25))
def test_whatever_happens_a_waiting_caller_hears_something_and_time_never_stands_still(
    steps: list[tuple[Fact, float]],
) -> None:
    """The shell that calls `expire` at each deadline: it must not spin, and the call must end."""
    dog, t, expiries = Watchdog(), 0.0, 0
    ended = False
    for fact, wait_s in [*steps, (HandoffState(state="IDLE"), 20_000.0)]:
        dog.receive(Stamped(seq=1, t=t, fact=fact))
        until_s = t + wait_s
        while (due_s := dog.deadline_s()) is not None and due_s <= until_s:
            t = max(t, due_s)
            for command in dog.expire(t):
                assert not ended, "after the end"
                ended = isinstance(command, EndCall)
            now_due_s = dog.deadline_s()
            assert now_due_s is None or now_due_s > t, "the same deadline twice"
            expiries += 1
            assert expiries < 10 * len(steps) + 10_000
        t = until_s
    assert ended


@pytest.mark.parametrize(("patience", "words_s"), [(0.5, 1.8), (1.0, 1.8), (2.0, 3.6)])
def test_who_wants_pauses_waited_out_gets_no_word_in_them(patience: float, words_s: float) -> None:
    assert Limits.of(patience).words_s == pytest.approx(words_s)
