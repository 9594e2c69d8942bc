"""The handoff told as calls: each failure that rivals had, each rule it must keep. `World` checks the invariants."""

from __future__ import annotations

import pytest

from telephony.facts import (
    BriefingBuilt,
    CallEnded,
    CallerWithdrew,
    ConsentHeard,
    Decision,
    HandoffAnswered,
    HandoffOffered,
    HandoffRequested,
    HandoffState,
    KeyPressed,
    LegsBridged,
    Reason,
    Said,
    Transcribed,
    WorkerAttached,
    WorkerLost,
)
from telephony.transfer import (
    BridgeLegs,
    CallerLeft,
    CallerReferred,
    Commit,
    DialHuman,
    EndCall,
    HangUpHuman,
    HumanAnswered,
    HumanFailed,
    HumanFree,
    HumanLeft,
    HumanProgress,
    HumanSilent,
    InLine,
    PromptPlayed,
    ReferCaller,
    ReferFailed,
    ReturnToAgent,
    SetHumanListening,
    StartHold,
    StopAsking,
    StopHold,
    TellCaller,
    TellHuman,
    TicketCallback,
)
from telephony.transfer_messages import AnswerCame, AudioHeard
from tests.unit.telephony.handoff_world import World

BUILT = BriefingBuilt(text="A billing dispute.", fields={})


def human_key(key: str) -> KeyPressed:
    return KeyPressed(leg="human", key=key)


def said(intent: str, end: float) -> ConsentHeard:
    return ConsentHeard(intent=intent, text="…", end=end)  # type: ignore[arg-type]


def on_hold(world: World | None = None, reason: Reason = "request") -> World:
    """At t = 10 the first phone rings."""
    world = world or World()
    world.fact(HandoffRequested(reason=reason), 10.0)
    return world


def screening(world: World | None = None) -> World:
    world = on_hold(world)
    world.event(HumanProgress(t=11.0))
    world.event(HumanAnswered(t=14.0))
    return world


def briefing(world: World | None = None) -> World:
    world = screening(world)
    world.fact(BUILT, 15.0)
    world.event(PromptPlayed(t=18.0, leg="human", prompt="screening"))
    world.fact(human_key("1"), 20.0)
    return world


def deciding(world: World | None = None) -> World:
    world = briefing(world)
    world.event(PromptPlayed(t=30.0, leg="human", prompt="briefing"))
    return world


def bridged(world: World | None = None) -> World:
    world = deciding(world)
    world.fact(human_key("1"), 35.0)
    world.fact(LegsBridged(human="ann"), 35.1)
    return world


def released(world: World | None = None) -> World:
    world = bridged(world)
    world.event(PromptPlayed(t=38.0, leg="human", prompt="intro_human"))
    world.event(PromptPlayed(t=39.0, leg="caller", prompt="intro_caller"))
    return world


def states(world: World) -> list[str]:
    return [c.fact.state for c in world.log if isinstance(c, Commit) and isinstance(c.fact, HandoffState)]


def outcomes(world: World) -> list[str]:
    found = [c.fact.outcome for c in world.log if isinstance(c, Commit) and isinstance(c.fact, HandoffState)]
    return [outcome for outcome in found if outcome]


def decisions(world: World) -> list[Decision]:
    return [c.decision for c in world.log if isinstance(c, Commit) and c.decision is not None]


# --- the human asks about a detail ---


def test_an_answer_takes_the_briefings_place_and_then_the_question_comes() -> None:
    world = briefing()
    assert world.event(AnswerCame(t=22.0)) == [TellHuman(prompt="answer")]
    assert world.event(PromptPlayed(t=25.0, leg="human", prompt="answer")) == [TellHuman(prompt="decide")]
    assert world.transfer.state == "DECIDING"


def test_an_answer_gives_the_human_time_to_decide_anew() -> None:
    world = deciding()
    assert world.transfer.deadline_s() == 42.0
    assert world.event(AnswerCame(t=40.0)) == [TellHuman(prompt="answer")]
    world.event(PromptPlayed(t=43.0, leg="human", prompt="answer"))
    assert world.transfer.deadline_s() == 55.0
    assert world.fact(human_key("1"), 54.0)[-1] == BridgeLegs()


def test_nothing_of_the_caller_is_answered_before_consent() -> None:
    assert screening().event(AnswerCame(t=15.0)) == []


def test_questions_come_to_an_end() -> None:
    world = deciding()
    told = [world.event(AnswerCame(t=31.0 + n)) for n in range(5)]
    assert told == [[TellHuman(prompt="answer")]] * 3 + [[], []]


# --- REFER ---


def referring() -> World:
    world = released(World(refer=True))
    assert world.log[-1] == ReferCaller()
    return world


def test_a_refer_that_succeeds_ends_our_part() -> None:
    world = referring()
    assert world.event(HumanLeft(t=40.0)) == [], "the caller's line takes the place of ours"
    assert world.event(CallerReferred(t=40.2)) == [EndCall(cause="referred", ending="with-human")]


def test_the_outcome_may_come_before_the_human_s_line_ends() -> None:
    world = referring()
    assert world.event(CallerReferred(t=40.0)) == [HangUpHuman(), EndCall(cause="referred", ending="with-human")]


@pytest.mark.parametrize("silence", [True, False])
def test_a_refer_that_comes_to_nothing_leaves_both_joined(silence: bool) -> None:
    world = referring()
    out = world.expire() if silence else world.event(ReferFailed(t=40.0, reason="603 Decline"))
    assert out == []
    assert world.transfer.state == "RELEASED"
    why = {"reason": "no outcome" if silence else "603 Decline"}
    assert (decisions(world)[-1].rule, decisions(world)[-1].inputs) == ("handoff.refer-failed", why)
    assert world.event(HumanLeft(t=90.0)) == [EndCall(cause="human-hung-up", ending="with-human")]


def test_a_human_who_hangs_up_during_a_refer_that_fails_has_dropped_the_caller() -> None:
    world = referring()
    world.event(HumanLeft(t=39.5))
    out = world.event(ReferFailed(t=40.0, reason="481"))
    assert out[:1] == [TellCaller(prompt="human_dropped")]
    assert out[-1] == DialHuman(target="bob", attempt=2), "never left on hold with nobody"


def test_a_caller_who_hangs_up_during_a_refer() -> None:
    world = referring()
    assert world.event(CallerLeft(t=60.0))[-1] == EndCall(cause="caller-hung-up", ending="with-human")


def test_a_caller_who_is_promised_a_callback_cannot_undo_it_any_more() -> None:
    world = on_hold(World(()))
    assert world.transfer.state == "FAILED"
    assert world.fact(CallerWithdrew(), 11.0) == []
    assert world.transfer.state == "FAILED"


def test_a_report_of_a_referral_nobody_asked_for_changes_nothing() -> None:
    assert released().event(CallerReferred(t=40.0)) == []


# --- in line with other callers ---


def crowded(**policy: float) -> World:
    world = World(**policy)
    world.far.crowded = True
    return world


def test_all_humans_are_with_other_callers() -> None:
    world = crowded()
    assert world.fact(HandoffRequested(reason="request"), 10.0) == [StartHold(), TellCaller(prompt="line_second")]
    assert world.transfer.state == "HOLDING"
    assert world.event(InLine(t=20.0, place=1)) == [], "told with the next news, not at every step of the line"
    assert world.expire() == [TellCaller(prompt="line_next")]
    assert world.t == 35.0
    world.t = 50.0
    assert world.human_is_free("bob") == [DialHuman(target="bob", attempt=1)], "told already that we wait for somebody"
    world.event(HumanFailed(t=51.0, status=486))
    assert world.transfer.state == "HOLDING", "ann is still with another caller"
    assert states(world) == ["HOLDING", "DIALLING", "FAILED", "HOLDING"]


def test_in_line_in_vain() -> None:
    world = crowded(queue_s=60.0)
    world.fact(HandoffRequested(reason="request"), 10.0)
    world.expire(69.0)
    assert world.expire() == [StopAsking(), TicketCallback(), StopHold(), TellCaller(prompt="nobody_callback")]
    assert world.t == 70.0
    assert outcomes(world) == ["nobody"]


def test_what_was_waited_in_line_counts_over_all_humans() -> None:
    world = crowded(queue_s=60.0)
    world.fact(HandoffRequested(reason="request"), 10.0)
    world.expire(50.0)
    world.human_is_free("ann")
    world.event(HumanFailed(t=52.0, status=486))
    assert world.transfer.deadline_s() == 72.0


def test_without_a_line_a_callback_is_promised_at_once() -> None:
    world = crowded(queue_s=0.0)
    told = world.fact(HandoffRequested(reason="request"), 10.0)
    assert told == [StopAsking(), TicketCallback(), TellCaller(prompt="nobody_callback")]


@pytest.mark.parametrize("leaves", [True, False])
def test_a_caller_in_line_goes(leaves: bool) -> None:
    world = crowded()
    world.fact(HandoffRequested(reason="request"), 10.0)
    out = world.event(CallerLeft(t=12.0)) if leaves else world.fact(CallerWithdrew(), 12.0)
    assert out[0] == StopAsking()
    assert out[-1] == (EndCall(cause="caller-left", ending="caller-left") if leaves else ReturnToAgent())
    assert world.transfer.receive(HumanFree(t=12.5, target="ann")) == ([StopAsking()]), "given back"


@pytest.mark.parametrize("others", [0, 1])
def test_the_human_s_sound_stops_after_the_bridge(others: int) -> None:
    """The line is up and nothing comes over it: the caller is told, and not left talking to nobody."""
    world = released(World(("ann", "bob")[: 1 + others]))
    out = world.event(HumanSilent(t=60.0))
    assert out[:2] == [HangUpHuman(), TellCaller(prompt="human_dropped")]
    assert outcomes(world)[:2] == ["accepted", "human-dropped"]
    if others:
        assert out[2:] == [StartHold(), DialHuman(target="bob", attempt=2)]
    else:
        assert world.transfer.state == "IDLE"
        assert ReturnToAgent() in out
    assert world.event(HumanSilent(t=61.0, attempt=1)) == []


def test_the_last_human_goes_away_while_the_caller_is_in_line() -> None:
    world = crowded()
    world.fact(HandoffRequested(reason="request"), 10.0)
    out = world.event(InLine(t=20.0, place=0))
    assert out == [StopAsking(), TicketCallback(), StopHold(), TellCaller(prompt="nobody_callback")]


def test_why_others_were_not_rung_is_on_the_record() -> None:
    world = World()
    world.transfer.retarget(["bob"], {"ann": "absent", "cy": "closed"})
    world.fact(HandoffRequested(reason="request"), 10.0)
    assert decisions(world)[0].inputs["skipped"] == {"ann": "absent", "cy": "closed"}


def test_a_crisis_in_line_asks_again_with_its_rank() -> None:
    world = World(crisis_target="bob")
    world.far.crowded = True
    world.fact(HandoffRequested(reason="request"), 10.0)
    world.fact(HandoffRequested(reason="crisis"), 11.0)
    assert world.far.asked == ("bob", "ann")


# --- the straight way ---


def test_from_distress_to_a_human() -> None:
    world = World()
    assert world.fact(HandoffOffered(reason="distress"), 5.0) == []
    assert world.fact(HandoffAnswered(accepted=True), 8.0) == [
        TellCaller(prompt="hold_start"), StartHold(), DialHuman(target="ann", attempt=1),
    ]  # fmt: skip
    assert world.event(HumanProgress(t=9.0)) == []
    assert world.event(HumanAnswered(t=12.0)) == [SetHumanListening(on=True), TellHuman(prompt="screening")]
    world.fact(BUILT, 13.0)
    world.event(PromptPlayed(t=16.0, leg="human", prompt="screening"))
    assert world.fact(human_key("1"), 17.0) == [TellHuman(prompt="briefing")]
    assert world.expire(23.0) == [TellCaller(prompt="being_told")], "the colleague hears the briefing"
    assert world.event(PromptPlayed(t=27.0, leg="human", prompt="briefing")) == [TellHuman(prompt="decide")]
    assert world.fact(human_key("1"), 29.0) == [SetHumanListening(on=False), StopHold(), BridgeLegs()]
    assert world.fact(LegsBridged(human="ann"), 29.1) == [
        TellCaller(prompt="intro_caller"), TellHuman(prompt="intro_human"),
    ]  # fmt: skip
    world.event(PromptPlayed(t=32.0, leg="caller", prompt="intro_caller"))
    assert world.transfer.state == "BRIDGED"
    world.event(PromptPlayed(t=33.0, leg="human", prompt="intro_human"))
    assert states(world) == [
        "OFFERED", "HOLDING", "DIALLING", "ANSWERED", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING", "BRIDGED",
        "RELEASED",
    ]  # fmt: skip
    assert world.transfer.deadline_s() is None
    assert world.event(HumanLeft(t=90.0)) == [EndCall(cause="human-hung-up", ending="with-human")]


def test_every_decision_names_its_rule_inputs_and_threshold() -> None:
    world = released()
    by_rule = {decision.rule: decision for decision in decisions(world)}
    assert list(by_rule) == ["handoff.due.request", "handoff.next-target", "handoff.consent", "handoff.accept"]
    assert by_rule["handoff.next-target"].threshold == 75.0
    assert by_rule["handoff.accept"].inputs == {"by": "key", "during": "DECIDING", "attempt": 1}


def test_its_own_facts_coming_back_and_strange_events_change_nothing() -> None:
    world = briefing()
    before = world.fingerprint()
    assert world.fact(HandoffState(state="IDLE")) == []
    assert world.event(AudioHeard(t=world.t, leg="caller")) == []
    assert world.fact(human_key("7")) == []
    assert world.event(PromptPlayed(t=world.t, leg="human", prompt="decide")) == []
    assert world.event(PromptPlayed(t=world.t, leg="caller", prompt="nobody_callback")) == []
    assert world.fingerprint() == before


# --- the offer ---


def test_an_unanswered_offer_brings_a_human_and_says_so() -> None:
    world = World()
    world.fact(HandoffOffered(reason="distress"), 5.0)
    world.fact(Said(leg="caller", start=5.0, end=9.0, text="Is that all right?"), 9.0)
    assert world.transfer.deadline_s() == pytest.approx(21.0)
    world.expire(21.0)
    assert world.transfer.state == "DIALLING"
    due = decisions(world)[0]
    assert (due.rule, due.threshold) == ("handoff.due.offer-unanswered", 12.0)


def test_an_unanswered_offer_of_an_agent_that_is_merely_stuck_lapses() -> None:
    world = World()
    world.fact(HandoffOffered(reason="stuck"), 5.0)
    world.fact(Said(leg="caller", start=5.0, end=9.0, text="Shall I bring one in?"), 9.0)
    assert world.expire(21.0) == []
    assert (world.transfer.state, world.transfer.deadline_s()) == ("IDLE", None)
    assert [(d.rule, d.inputs) for d in decisions(world)] == [("handoff.offer-lapsed", {"reason": "stuck"})]
    assert outcomes(world) == []


def test_distress_noticed_while_the_offer_stands_changes_what_silence_means() -> None:
    world = World()
    world.fact(HandoffOffered(reason="stuck"), 5.0)
    world.fact(HandoffOffered(reason="distress"), 9.0)
    world.expire(21.0)
    assert world.transfer.state == "DIALLING"


def test_an_offer_does_not_stand_for_ever_however_much_is_said() -> None:
    world = World()
    world.fact(HandoffOffered(reason="distress"), 0.0)
    for t in (10.0, 20.0, 30.0):
        world.fact(Transcribed(leg="caller", start=t - 1, end=t, text="hm"), t)
    assert world.transfer.deadline_s() == pytest.approx(36.0)


def test_a_second_worker_gets_the_time_to_ask_again() -> None:
    world = World()
    world.fact(HandoffOffered(reason="distress"), 0.0)
    world.fact(WorkerLost(worker="w1", cause="killed"), 11.0)
    assert world.transfer.deadline_s() == pytest.approx(23.0)
    world.fact(HandoffOffered(reason="distress"), 13.0)
    assert world.transfer.deadline_s() == pytest.approx(25.0)


def test_a_refused_offer_stays_with_the_agent_and_a_later_request_works() -> None:
    world = World()
    world.fact(HandoffOffered(reason="distress"), 5.0)
    assert world.fact(HandoffAnswered(accepted=False), 8.0) == []
    assert (world.transfer.state, outcomes(world)) == ("IDLE", ["caller-withdrew"])
    assert DialHuman(target="ann", attempt=1) in world.fact(HandoffRequested(reason="request"), 20.0)


# --- targets ---


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(486, "busy"), (600, "busy"), (603, "declined"), (480, "no-answer"), (404, "unreachable"), (503, "unreachable")],
)
def test_a_refused_invite_rings_the_next_one_at_once(status: int, outcome: str) -> None:
    world = on_hold()
    assert world.event(HumanFailed(t=10.3, status=status)) == [
        TellCaller(prompt="next_person"), DialHuman(target="bob", attempt=2),
    ]  # fmt: skip
    assert outcomes(world) == [outcome]
    assert {"status": status, "during": "DIALLING", "attempt": 1} in [d.inputs for d in decisions(world)]


def test_a_proxy_that_only_says_trying_has_lost_the_call() -> None:
    world = on_hold()
    assert world.transfer.deadline_s() == pytest.approx(16.0)
    assert world.expire(16.0) == [
        HangUpHuman(), TellCaller(prompt="next_person"), DialHuman(target="bob", attempt=2),
    ]  # fmt: skip
    assert outcomes(world) == ["unreachable"]


def test_ringing_is_limited_per_target_and_in_all() -> None:
    world = on_hold(World(("ann", "bob", "cy", "di")))
    dialled = []
    for _ in range(40):
        if not world.far.leg:
            break
        if world.far.leg not in dialled:
            dialled.append(world.far.leg)
            world.event(HumanProgress(t=world.t + 0.5))
        world.expire()
    assert dialled == [1, 2, 3], "75 s of ringing are spent after three targets"
    assert outcomes(world) == ["no-answer"] * 3 + ["nobody"]


def test_the_last_target_rings_only_for_what_is_left_of_the_total() -> None:
    world = on_hold(World(total_s=35.0))
    world.event(HumanProgress(t=10.5))
    world.expire(25.0)
    world.expire(35.0)
    world.event(HumanProgress(t=36.0))
    assert world.expire(45.0)[0] == HangUpHuman()
    assert outcomes(world) == ["no-answer", "no-answer", "nobody"]
    assert "handoff.attempt.total" in [d.rule for d in decisions(world)]


def test_the_caller_is_not_told_of_every_busy_phone() -> None:
    world = on_hold(World(("ann", "bob", "cy", "di")))
    told = world.event(HumanFailed(t=11.0, status=486)) + world.event(HumanFailed(t=12.0, status=486))
    world.event(HumanProgress(t=13.0))
    told += world.event(HumanFailed(t=26.1, status=486))
    assert told.count(TellCaller(prompt="next_person")) == 2


def test_news_comes_once_and_then_every_minute() -> None:
    world = on_hold(World(ring_s=200.0, total_s=200.0))
    world.event(HumanProgress(t=12.0))
    heard = [(world.t, command) for _ in range(3) for command in world.expire()]
    assert heard == [
        (25.0, TellCaller(prompt="hold_news")),
        (85.0, TellCaller(prompt="still_trying")),
        (145.0, TellCaller(prompt="still_trying")),
    ]


def test_there_is_no_news_of_a_phone_that_does_not_ring() -> None:
    world = on_hold(World(progress_s=30.0, ring_s=40.0))
    assert world.expire(25.0) == [TellCaller(prompt="still_trying")]


def test_nobody_is_left_ticket_then_told_then_ended() -> None:
    world = on_hold(World(("ann",)))
    assert world.event(HumanFailed(t=11.0, status=486)) == [
        TicketCallback(), StopHold(), TellCaller(prompt="nobody_callback"),
    ]  # fmt: skip
    assert world.fact(HandoffRequested(reason="request"), 12.0) == []
    assert world.fact(CallerWithdrew(), 12.5) == []
    assert world.event(PromptPlayed(t=20.0, leg="caller", prompt="nobody_callback")) == [
        EndCall(cause="nobody-free", ending="told-and-callback")
    ]
    assert outcomes(world) == ["busy", "nobody"]


def test_no_target_at_all_promises_no_colleague() -> None:
    world = World(())
    assert world.fact(HandoffRequested(reason="worker-lost"), 5.0) == [
        TicketCallback(), TellCaller(prompt="nobody_callback"),
    ]  # fmt: skip
    world.drain()
    assert world.far.ending == "told-and-callback"


def test_a_crisis_rings_the_crisis_target_first() -> None:
    world = World(("ann", "bob", "cy"), crisis_target="cy")
    assert DialHuman(target="cy", attempt=1) in world.fact(HandoffRequested(reason="crisis"), 3.0)
    assert DialHuman(target="ann", attempt=2) in world.event(HumanFailed(t=4.0, status=486))


def test_a_crisis_while_ringing_brings_the_crisis_target_next_and_no_second_handoff() -> None:
    world = on_hold(World(("ann", "bob", "cy"), crisis_target="cy"))
    assert world.fact(HandoffRequested(reason="request"), 11.0) == []
    assert world.fact(HandoffRequested(reason="crisis"), 12.0) == []
    assert world.fact(HandoffRequested(reason="crisis"), 13.0) == []
    assert DialHuman(target="cy", attempt=2) in world.event(HumanFailed(t=14.0, status=486))
    assert [d.rule for d in decisions(world)].count("handoff.due.crisis") == 1


def test_targets_may_be_replaced_until_a_handoff_begins() -> None:
    world = World(("ann",))
    world.transfer.retarget(["bob"])
    assert DialHuman(target="bob", attempt=1) in world.fact(HandoffRequested(reason="request"), 1.0)


# --- the human: screening, briefing, deciding ---


def test_voicemail_hears_the_screening_and_nothing_of_the_caller() -> None:
    world = screening()
    world.fact(BUILT, 15.0)
    world.event(PromptPlayed(t=18.0, leg="human", prompt="screening"))
    world.fact(said("other", 21.0), 21.5)
    assert world.transfer.deadline_s() == pytest.approx(25.0), "news for the caller comes first"
    assert world.expire(25.0) == [TellCaller(prompt="still_trying")]
    assert HangUpHuman() in world.expire(28.0)
    assert outcomes(world) == ["machine"]
    assert TellHuman(prompt="briefing") not in world.log


def test_a_screening_whose_end_is_never_reported_is_limited_too() -> None:
    world = screening()
    world.expire(32.0)
    assert outcomes(world) == ["machine"]


def test_one_yes_never_counts_twice() -> None:
    world = screening()
    world.fact(BUILT, 15.0)
    world.fact(human_key("1"), 20.0)
    assert world.fact(said("accept", 19.8), 20.6) == [], "the word that came with the key"
    assert world.transfer.state == "BRIEFING"
    assert BridgeLegs() in world.fact(said("accept", 24.0), 24.5), "a second yes, in the briefing"


def test_the_human_may_hear_everything_again_but_not_for_ever() -> None:
    world = screening()
    world.fact(BUILT, 15.0)
    assert [bool(world.fact(human_key("3"), t)) for t in (15.5, 16.0, 16.5, 17.0)] == [True, True, True, False]
    world.fact(human_key("1"), 20.0)
    assert world.fact(human_key("3"), 22.0) == [TellHuman(prompt="briefing")]
    world.event(PromptPlayed(t=32.0, leg="human", prompt="briefing"))
    assert world.fact(said("repeat", 33.0), 33.5) == [TellHuman(prompt="briefing")]
    assert world.transfer.state == "BRIEFING"


def test_declining_is_thanked_and_the_next_one_is_rung() -> None:
    world = briefing()
    assert world.fact(human_key("2"), 24.0) == [SetHumanListening(on=False), TellHuman(prompt="declined_bye")]
    assert world.event(PromptPlayed(t=24.9, leg="human", prompt="declined_bye")) == [
        HangUpHuman(), TellCaller(prompt="next_person"), DialHuman(target="bob", attempt=2),
    ]  # fmt: skip
    assert outcomes(world) == ["declined"]


def test_a_human_who_hangs_up_during_the_thanks_is_not_hung_up_again() -> None:
    world = briefing()
    world.fact(human_key("2"), 24.0)
    assert HangUpHuman() not in world.event(HumanLeft(t=24.5))
    assert world.transfer.state == "DIALLING"


def test_thanks_that_are_never_reported_end_after_three_seconds() -> None:
    world = briefing()
    world.fact(human_key("2"), 24.0)
    world.expire(25.0)
    assert HangUpHuman() in world.expire(27.0)


def test_no_second_consent_rings_the_next_one() -> None:
    world = deciding()
    assert HangUpHuman() in world.expire(42.0)
    assert outcomes(world) == ["no-answer"]
    assert world.transfer.state == "DIALLING"


@pytest.mark.parametrize("at", [screening, briefing, deciding])
def test_a_human_who_drops_before_the_bridge_is_followed_by_the_next(at: object) -> None:
    world = at()  # type: ignore[operator]
    assert DialHuman(target="bob", attempt=2) in world.event(HumanLeft(t=world.t + 1))
    assert outcomes(world) == ["human-dropped"]


def test_a_briefing_that_is_not_there_is_not_waited_for() -> None:
    world = screening()
    assert world.fact(human_key("1"), 18.0) == [TellHuman(prompt="briefing_missing")]
    world.fact(BUILT, 19.0)
    assert world.event(PromptPlayed(t=20.0, leg="human", prompt="briefing_missing")) == [TellHuman(prompt="briefing")]
    # The sound has still not been uploaded, so the gateway played the other prompt again: once is enough.
    assert world.event(PromptPlayed(t=23.0, leg="human", prompt="briefing_missing")) == [TellHuman(prompt="decide")]


def test_a_briefing_whose_end_is_never_reported_does_not_stop_the_handoff() -> None:
    world = briefing()
    world.expire(25.0)
    assert TellHuman(prompt="decide") in world.expire(40.0)


def test_keys_only() -> None:
    world = screening(World(accept="key"))
    assert world.fact(said("accept", 17.0), 17.5) == []
    assert world.fact(human_key("1"), 18.0) == [TellHuman(prompt="briefing_missing")]
    assert TellHuman(prompt="declined_bye") in world.fact(said("decline", 19.0), 19.5)


def test_a_trusted_human_is_briefed_and_joined_without_a_key() -> None:
    world = on_hold(World(accept="answer", trusted=frozenset({"ann"})))
    world.fact(BUILT, 11.0)
    assert world.event(HumanAnswered(t=14.0)) == [TellHuman(prompt="briefing")]
    assert world.event(PromptPlayed(t=24.0, leg="human", prompt="briefing")) == [StopHold(), BridgeLegs()]
    assert [d.inputs.get("by") for d in decisions(world)][-2:] == ["answer", "answer"]


def test_a_trusted_human_whose_briefing_is_never_reported_is_joined_too() -> None:
    world = on_hold(World(accept="answer", trusted=frozenset({"ann"})))
    world.event(HumanAnswered(t=14.0))
    world.expire(25.0)
    assert BridgeLegs() in world.expire(34.0)


def test_an_untrusted_human_is_screened_whatever_the_policy() -> None:
    world = on_hold(World(accept="answer", trusted=frozenset({"bob"})))
    assert TellHuman(prompt="screening") in world.event(HumanAnswered(t=14.0))


def test_a_second_worker_is_told_to_listen_to_the_human() -> None:
    world = screening()
    world.fact(WorkerLost(worker="w1", cause="killed"), 15.0)
    assert world.fact(WorkerAttached(worker="w2", resumed=True), 15.1) == [SetHumanListening(on=True)]
    trusted = on_hold(World(accept="answer", trusted=frozenset({"ann"})))
    trusted.event(HumanAnswered(t=14.0))
    assert trusted.fact(WorkerAttached(worker="w2"), 15.1) == [], "nobody listens to a trusted human"


# --- joined ---


def test_a_bridge_that_never_comes_rings_the_next_one_with_hold_sound() -> None:
    world = deciding()
    world.fact(human_key("1"), 35.0)
    assert world.expire(37.0) == [
        HangUpHuman(), TellCaller(prompt="next_person"), StartHold(), DialHuman(target="bob", attempt=2),
    ]  # fmt: skip
    assert world.fact(LegsBridged(), 37.5) == [], "too late"


def test_the_introduction_does_not_have_to_be_heard() -> None:
    world = bridged()
    world.expire(world.transfer.deadline_s())
    assert world.transfer.state == "RELEASED"


def test_a_human_who_drops_right_after_the_bridge_has_not_taken_the_caller() -> None:
    world = released()
    assert world.event(HumanLeft(t=44.0)) == [
        TellCaller(prompt="human_dropped"), StartHold(), DialHuman(target="bob", attempt=2),
    ]  # fmt: skip
    assert outcomes(world) == ["accepted", "human-dropped"]


def test_the_agent_takes_the_caller_back_when_the_last_human_drops() -> None:
    world = released(World(("ann",)))
    assert world.event(HumanLeft(t=44.0)) == [TellCaller(prompt="human_dropped"), TicketCallback(), ReturnToAgent()]
    assert world.transfer.state == "IDLE"
    assert DialHuman(target="ann", attempt=2) in world.fact(HandoffRequested(reason="request"), 60.0)


def test_without_an_agent_the_caller_of_a_dropped_human_is_called_back() -> None:
    world = bridged(World(("ann",)))
    world.fact(WorkerLost(worker="w1", cause="killed"), 36.0)
    world.event(HumanFailed(t=37.0, status=0))
    assert [c for c in world.log if isinstance(c, TellCaller)][-1] == TellCaller(prompt="nobody_callback")
    world.drain()
    assert world.far.ending == "told-and-callback"


def test_hanging_up_on_a_human_is_with_human() -> None:
    world = released()
    assert world.event(CallerLeft(t=100.0)) == [HangUpHuman(), EndCall(cause="caller-hung-up", ending="with-human")]


def test_timers_that_come_late_do_not_turn_a_talk_into_a_lost_caller() -> None:
    world = bridged()
    assert world.event(CallerLeft(t=100.0))[-1] == EndCall(cause="caller-hung-up", ending="with-human")


# --- the caller leaves, or would rather stay ---


def test_a_caller_who_leaves_while_it_rings_leaves_no_ringing_phone() -> None:
    world = on_hold()
    assert world.event(CallerLeft(t=12.0)) == [
        StopHold(), HangUpHuman(), EndCall(cause="caller-left", ending="caller-left"),
    ]  # fmt: skip


def test_no_other_phone_rings_for_a_caller_who_is_gone() -> None:
    world = on_hold()
    assert not [c for c in world.event(CallerLeft(t=40.0)) if isinstance(c, DialHuman)], "its time was up long ago"


@pytest.mark.parametrize("at", [screening, briefing, deciding, bridged])
def test_a_human_who_has_answered_hears_one_sentence_and_no_briefing_again(at: object) -> None:
    world = at()  # type: ignore[operator]
    t = world.t
    assert TellHuman(prompt="caller_gone") in world.event(CallerLeft(t=t + 1))
    assert world.fact(human_key("3"), t + 1.5) == []
    assert world.event(CallerLeft(t=t + 1.6)) == []
    assert world.fact(HandoffRequested(reason="crisis"), t + 1.7) == []
    assert world.event(PromptPlayed(t=t + 3, leg="human", prompt="caller_gone")) == [
        HangUpHuman(), EndCall(cause="caller-left", ending="caller-left"),
    ]  # fmt: skip


def test_a_caller_who_leaves_while_a_human_is_thanked() -> None:
    world = briefing()
    world.fact(human_key("2"), 24.0)
    assert world.event(CallerLeft(t=24.5)) == [StopHold()]
    assert world.expire(27.0) == [HangUpHuman(), EndCall(cause="caller-left", ending="caller-left")]


def test_a_caller_who_leaves_before_any_handoff() -> None:
    world = World()
    assert world.event(CallerLeft(t=4.0)) == [EndCall(cause="caller-left", ending="caller-left")]
    assert states(world) == [], "a calm call has no handoff on record"


def test_never_mind_while_it_rings() -> None:
    world = on_hold()
    assert world.fact(CallerWithdrew(), 13.0) == [HangUpHuman(), StopHold(), ReturnToAgent()]
    assert (world.transfer.state, world.transfer.deadline_s()) == ("IDLE", None)
    assert DialHuman(target="ann", attempt=2) in world.fact(HandoffRequested(reason="request"), 40.0)


def test_never_mind_while_a_human_listens() -> None:
    world = briefing()
    assert world.fact(CallerWithdrew(), 22.0) == [
        SetHumanListening(on=False), TellHuman(prompt="caller_gone"), StopHold(), ReturnToAgent(),
    ]  # fmt: skip
    assert world.expire(25.0) == [HangUpHuman()]


def test_never_mind_and_then_after_all() -> None:
    world = briefing()
    world.fact(CallerWithdrew(), 22.0)
    world.fact(HandoffOffered(reason="distress"), 22.5)
    assert world.fact(HandoffRequested(reason="request"), 23.0) == [
        HangUpHuman(), TellCaller(prompt="hold_start"), StartHold(), DialHuman(target="ann", attempt=2),
    ]  # fmt: skip
    assert world.event(HumanLeft(t=23.1, attempt=1)) == [], "of the leg before"
    assert world.event(PromptPlayed(t=23.2, leg="human", prompt="screening", attempt=1)) == []


def test_never_mind_while_a_human_is_thanked() -> None:
    world = briefing()
    world.fact(human_key("2"), 24.0)
    assert world.fact(CallerWithdrew(), 24.5) == [StopHold(), ReturnToAgent()]
    assert world.expire(27.0) == [HangUpHuman()]


def test_once_joined_there_is_no_never_mind() -> None:
    assert bridged().fact(CallerWithdrew(), 36.0) == []


def test_whoever_ends_the_call_no_human_leg_outlives_it() -> None:
    world = screening()
    assert world.fact(CallEnded(cause="hard-limit", ending="told-and-callback"), 40.0) == [
        SetHumanListening(on=False), HangUpHuman(),
    ]  # fmt: skip
    assert world.event(HumanAnswered(t=41.0)) == []
    assert world.transfer.deadline_s() is None
