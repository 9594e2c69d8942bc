"""Whole calls: facts in, sentences and facts out."""

from __future__ import annotations

import pytest

from telephony.commands import HangUp
from telephony.facts import (
    BriefingBuilt,
    CallbackTicketed,
    CallEnded,
    CallerWithdrew,
    ConsentChanged,
    DistressChanged,
    HandoffAnswered,
    HandoffOffered,
    HandoffRequested,
    HandoffState,
    IntentRecognised,
    KeyPressed,
    LegsBridged,
    Reason,
    Said,
    SlotFilled,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    WorkerAttached,
)
from telephony.settings import Agent, Privacy, Settings
from tests.unit.voice.conversation.line import ANALYSED, Line, conversation
from voice.conversation.commands import Say

CALM = (0.05, 0.1, 0.05)
UPSET = (0.9, 0.95, 0.95)


@pytest.fixture
def line() -> Line:
    call = Line()
    assert call.start() == ["How can I help you today?"]
    return call


def test_nothing_is_heard_before_the_disclosure() -> None:
    call = Line()
    assert call.commit(Transcribed(leg="caller", start=0.0, end=1.0, text="I want a person")) == []
    assert call.actions == []


def test_order_from_question_to_goodbye(line: Line) -> None:
    assert "order number" in line.caller("Hello, where is my order?")[0]
    assert "four five one nine" in line.caller("It's four five one nine.")[0]
    assert "Thursday" in line.caller("Yes, that's right.")[0]
    assert not line.hung_up
    assert "Goodbye" in line.caller("No thank you, that's all.")[0]
    assert line.actions[-1] == HangUp(cause="resolved")
    assert [f.intent for f in line.facts(IntentRecognised)] == ["order_status"]
    assert [f.value for f in line.facts(SlotFilled)] == ["4519"]


def test_number_in_the_first_sentence_is_not_asked_again(line: Line) -> None:
    assert "Is that right" in line.caller("Where is my parcel, the order is 4519?")[0]


def test_wrong_number_is_corrected_in_one_turn(line: Line) -> None:
    line.caller("Where is my order?")
    line.caller("4591")
    assert "four five one nine" in line.caller("No, four five one nine.")[0]
    assert "Thursday" in line.caller("Yes.")[0]
    assert "seven seven three one" in line.caller("No sorry, my order number is 7731.")[0]


def test_number_in_pieces(line: Line) -> None:
    line.caller("Where is my order?")
    assert line.caller("four five") == ["Yes."]
    assert "four five one nine" in line.caller("one nine")[0]


def test_number_by_keypad_is_complete_after_a_pause_or_at_its_length(line: Line) -> None:
    line.caller("Where is my order?")
    said = [s for key in "7731" for s in line.commit(KeyPressed(leg="caller", key=key))]
    assert "Friday" in said[0]


def test_short_keypad_number_is_asked_again(line: Line) -> None:
    line.caller("Where is my order?")
    for key in "77":
        line.commit(KeyPressed(leg="caller", key=key))
    assert line.wait(2.9) == []
    assert len(line.wait(0.2)) == 1


def test_unknown_number_is_said_so(line: Line) -> None:
    line.caller("Where is my order?")
    line.caller("1111")
    assert "no order one one one one" in line.caller("yes")[0]


def test_action_is_done_only_after_a_yes(line: Line) -> None:
    line.caller("I want to cancel my contract.")
    line.caller("1234")
    assert "Shall I" in line.caller("Yes.")[0]
    assert "nothing is cancelled" in line.caller("No, don't.")[0].lower()


def test_cancellation_hears_of_a_person_at_once(line: Line) -> None:
    assert "person" in line.caller("I want to cancel.")[0]


def test_another_matter_takes_over(line: Line) -> None:
    line.caller("Where is my order?")
    assert "postcode" in line.caller("Actually, my internet is not working at all.")[0]


def test_repeat_wait_machine_and_privacy(line: Line) -> None:
    asked = line.caller("Where is my order?")[0]
    assert line.caller("Sorry, can you say that again?") == [asked]
    assert "time" in line.caller("One moment please.")[0]
    assert line.wait(15.0) == []
    assert "automated assistant" in line.caller("Am I talking to a real person?")[0]
    assert "Press 8" in line.caller("What do you do with my data? Stop recording.")[0]
    assert not line.emitted(HandoffRequested)


def test_knowledge_article(line: Line) -> None:
    assert "thirty days" in line.caller("Can I send it back?")[0]


# --- silence --------------------------------------------------------------------------------------


def test_silence_prompts_choice_then_person_and_never_hangs_up(line: Line) -> None:
    assert line.wait(4.9) == []
    assert line.wait(0.2) == ["Take your time. I am still here."]
    assert "person" in line.wait(8.0)[0]
    assert "colleague" in line.wait(15.0)[0]
    assert [e.fact.reason for e in line.emitted(HandoffRequested)] == ["stuck"]
    assert line.emitted(HandoffRequested)[0].decision is not None
    assert line.wait(600.0) == []
    assert not line.hung_up


def test_silence_counts_from_the_end_of_speech_and_of_sentences(line: Line) -> None:
    line.t += 4.0
    line.commit(SpeechStarted(leg="caller", at=line.t))
    assert line.wait(30.0) == []
    line.commit(SpeechStopped(leg="caller", at=line.t))
    assert line.wait(4.9) == []
    assert len(line.wait(0.2)) == 1


def test_words_end_the_silence(line: Line) -> None:
    line.wait(6.0)
    line.caller("Where is my order?")
    assert line.wait(5.1) == ["Take your time. I am still here."]


def test_a_sentence_nobody_reports_does_not_stop_the_timers(line: Line) -> None:
    talk = conversation()
    call = Line(talk=talk)
    call.start()
    actions = talk.receive(call.log[-1])
    assert actions == []
    due = talk.deadline_s()
    assert due is not None


# --- barge-in -------------------------------------------------------------------------------------


def test_yes_to_a_question_that_was_cut_asks_it_again(line: Line) -> None:
    line.caller("Where is my order?")
    question = line.caller("4519")[0]
    line.cut("I have")
    assert line.caller("Yes.") == [question]
    assert "Thursday" in line.caller("Yes.")[0]


def test_goodbye_that_was_cut_does_not_hang_up() -> None:
    call = Line()
    call.start()
    call._play = lambda say: []  # type: ignore[method-assign]  # the sentence is still being played
    call.caller("When are you open?")
    call.caller("No thanks.")
    call.commit(SpeechStarted(leg="caller", at=call.t))
    call.cut("Thank you")
    assert not call.hung_up
    assert "order number" in call.caller("Oh, where is my order?")[0]
    assert not call.hung_up


def test_reply_cut_for_the_offer_does_not_prompt_into_the_offer() -> None:
    """Distress clears the running reply; the offer is queued behind it and takes its time."""
    call = Line()
    call.start()
    call._play = lambda say: []  # type: ignore[method-assign]  # sentences are still being played
    call.caller("I am furious, this is ridiculous.")
    assert "Is that all right?" in call.voice(0.95, 0.95, 0.95)[0]
    call.cut("I want to")
    assert call.wait(8.0) == []


# --- a person -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["I want to speak to a real person right now.", "Agent.", "Let me talk to someone."])
def test_request_begins_a_handoff_in_the_same_turn(line: Line, text: str) -> None:
    assert line.caller(text) == []
    requested = line.emitted(HandoffRequested)
    assert [e.fact.reason for e in requested] == ["request"]
    assert requested[0].decision is not None
    assert requested[0].decision.rule == "request.words"
    assert not line.emitted(DistressChanged)


def test_briefing_comes_with_the_handoff_and_is_renewed_by_news(line: Line) -> None:
    line.caller("Where is my order 4519?")
    line.caller("A person please.")
    assert "order" in line.facts(BriefingBuilt)[-1].text
    built = len(line.facts(BriefingBuilt))
    line.caller("I am so desperate, nobody helps me, I am really scared, this is terrible!")
    assert len(line.facts(BriefingBuilt)) == built + 1


def offered(line: Line, reason: Reason) -> Line:
    if reason == "distress":
        line.caller("I would like to change my address.")
        line.voice(*CALM, *UPSET)
        line.caller("I have told you so often, nobody helps me, I am desperate.")
    else:
        for _ in range(4):
            line.caller("Flumble grommet wizzle.")
            if line.emitted(HandoffOffered):
                break
    assert line.facts(HandoffOffered)[-1].reason == reason
    return line


def test_an_offer_nobody_answers_is_made_once_more_and_then_left(line: Line) -> None:
    offered(line, "stuck")
    assert line.wait(5.1) == ["Shall I bring in a colleague now? Please say yes or no."]
    assert line.wait(8.0)[0].startswith("All right, we go on here.")
    assert not line.facts(HandoffRequested)
    assert [f.accepted for f in line.facts(HandoffAnswered)] == [False]


def test_an_offer_nobody_answers_in_distress_brings_a_human(line: Line) -> None:
    offered(line, "distress")
    assert line.wait(5.1) == ["Shall I bring in a colleague now? Please say yes or no."]
    line.wait(8.0)
    assert [f.reason for f in line.facts(HandoffRequested)] == ["distress"]


def test_an_offer_that_the_gateway_let_lapse_is_over_for_the_agent_too(line: Line) -> None:
    offered(line, "stuck")
    assert line.commit(HandoffState(state="IDLE"))[0].startswith("All right, we go on here.")
    assert line.commit(HandoffState(state="IDLE")) == []


def test_quiet_on_hold_but_never_mind_is_heard(line: Line) -> None:
    line.caller("A person please.")
    assert line.caller("Hello, is anybody there?") == []
    assert line.wait(60.0) == []
    assert line.caller("Oh, never mind.")[0].startswith("I am back with you.")
    assert len(line.emitted(CallerWithdrew)) == 1
    assert "order number" in line.caller("Where is my order?")[0]


def test_key_zero_of_the_gateway_makes_the_agent_quiet(line: Line) -> None:
    line.commit(KeyPressed(leg="caller", key="0"))
    line.commit(HandoffRequested(reason="request"))
    line.state("HOLDING")
    assert line.wait(30.0) == []
    assert line.facts(BriefingBuilt)


def test_failed_handoff_returns_to_where_the_matter_was(line: Line) -> None:
    line.caller("Where is my order?")
    line.caller("I want a human.")
    line.state("FAILED")
    line.commit(CallbackTicketed(ref="r1", number="+15550100", window="today between 2 and 4 pm"))
    said = line.state("IDLE")[0]
    assert "call you back today between 2 and 4 pm" in said
    assert "order number" in said
    assert "four five one nine" in line.caller("4519")[0]


def test_nothing_after_the_bridge(line: Line) -> None:
    line.caller("A person please.")
    line.state("BRIDGED")
    line.commit(LegsBridged(human="care"))
    before = len(line.actions)
    line.caller("I want to kill myself, where is my order, I want a person.")
    line.voice(*UPSET, *UPSET)
    assert len(line.actions) == before
    assert line.talk.deadline_s() is None


def test_two_misunderstandings_offer_a_person_and_no_goes_on(line: Line) -> None:
    [again] = line.caller("Flibber gibbet wobble.")
    assert again.startswith("I did not catch that. Is it about an order, a bill,")
    assert again.endswith("You can also press 0.")
    assert "colleague" in line.caller("Wobble gibbet flibber jam.")[0]
    assert [f.reason for f in line.facts(HandoffOffered)] == ["stuck"]
    said = line.caller("No, thanks.")
    assert [f.accepted for f in line.facts(HandoffAnswered)] == [False]
    assert "How can I help" in said[0]


def test_number_the_caller_does_not_have_offers_a_person(line: Line) -> None:
    line.caller("Where is my order?")
    assert "colleague" in line.caller("I don't know, I lost it.")[0]


# --- distress -------------------------------------------------------------------------------------


def test_voice_then_words_offer_a_person_who_is_accepted(line: Line) -> None:
    line.caller("I would like to change my address.")
    line.voice(*CALM, *UPSET)
    assert [f.level for f in line.facts(DistressChanged)] == ["attend"]
    said = line.caller("I have told you so often, nobody helps me, I am desperate.")
    assert "you won't need to repeat yourself. Is that all right?" in said[0]
    assert [f.level for f in line.facts(DistressChanged)] == ["attend", "distress"]
    assert {"voice", "words"} <= {b.kind for b in line.facts(DistressChanged)[-1].because}
    assert [f.reason for f in line.facts(HandoffOffered)] == ["distress"]
    assert line.caller("Yes, please.") == []
    assert [f.accepted for f in line.facts(HandoffAnswered)] == [True]
    assert "upset" in line.facts(BriefingBuilt)[-1].text


def test_words_then_voice_offer_after_the_words_of_the_turn(line: Line) -> None:
    line.caller("I am furious, this is ridiculous.")
    line.commit(SpeechStarted(leg="caller", at=line.t))
    assert line.voice(*UPSET) == []
    line.commit(SpeechStopped(leg="caller", at=line.t))
    line.t += 0.5
    said = line.commit(Transcribed(leg="caller", start=line.t - 2, end=line.t, text="Where is my order?"))
    assert "Is that all right?" in said[0]
    assert [f.intent for f in line.facts(IntentRecognised)] == ["order_status"]


def test_speech_without_words_does_not_hold_the_offer_back_for_ever(line: Line) -> None:
    line.caller("I am furious, this is ridiculous.")
    line.commit(SpeechStarted(leg="caller", at=line.t))
    line.voice(*UPSET)
    line.commit(SpeechStopped(leg="caller", at=line.t))
    assert line.wait(2.9) == []
    assert "Is that all right?" in line.wait(0.2)[0]


def test_declined_offer_is_not_made_again_in_the_episode(line: Line) -> None:
    line.voice(*UPSET)
    line.caller("Nobody helps me, I am desperate.")
    assert "go on" in line.caller("No.")[0]
    line.voice(*UPSET)
    line.caller("This is ridiculous, I am furious.")
    assert len(line.facts(HandoffOffered)) == 1


def test_unclear_answer_is_asked_once_more_then_taken_for_yes(line: Line) -> None:
    line.voice(*UPSET)
    line.caller("Nobody helps me, I am desperate.")
    assert "yes or no" in line.caller("My daughter told me so.")[0]
    line.caller("The weather in Spain.")
    assert [f.accepted for f in line.facts(HandoffAnswered)] == [True]
    assert line.emitted(HandoffAnswered)[0].decision.rule == "offer.unclear-twice"


def test_attend_is_slower_hints_once_and_goes_on(line: Line) -> None:
    line.caller("Where is my order?")
    line.voice(*UPSET)
    first = line.caller("4519")
    second = line.caller("Yes.")
    hints = [s for s in first + second if "rather talk to a person" in s]
    assert len(hints) == 1
    assert "Thursday" in second[0]
    rates = [a.rate_wpm for a in line.actions if isinstance(a, Say)]
    assert rates[0] == 165.0
    assert 145.0 <= rates[-1] <= 152.0
    assert line.talk.patience().upset


def test_opt_out_takes_the_voice_back_and_the_call_goes_on(line: Line) -> None:
    line.voice(*UPSET)
    line.commit(ConsentChanged(purpose="emotion", allowed=False))
    changes = line.facts(DistressChanged)
    assert [f.level for f in changes] == ["attend", "calm"]
    assert [b.kind for b in changes[-1].because] == ["key"]
    line.voice(*UPSET, *UPSET, *UPSET)
    assert len(line.facts(DistressChanged)) == 2
    assert "order number" in line.caller("Where is my order?")[0]


def test_without_analysis_the_call_works_and_says_unknown() -> None:
    call = Line(talk=conversation(Settings(privacy=Privacy(analyse_emotion=False))))
    call.start()
    call.voice(*UPSET, *UPSET)
    assert not call.facts(DistressChanged)
    call.caller("I want a person.")
    built = call.facts(BriefingBuilt)[-1]
    assert built.fields["state"]["level"] == "unknown"


# --- crisis ---------------------------------------------------------------------------------------


def test_danger_says_the_number_at_once_and_stays() -> None:
    call = Line(
        talk=conversation(Settings(agent=Agent(crisis_number="116 123"), privacy=Privacy(analyse_emotion=False)))
    )
    call.start()
    said = call.caller("I don't want to live any more.")
    assert "one one six one two three" in said[0]
    assert [a.keep for a in call.actions if isinstance(a, Say)][-1]
    assert [e.fact.reason for e in call.emitted(HandoffRequested)] == ["crisis"]
    assert [f.level for f in call.facts(DistressChanged)] == ["distress"]
    call.state("IDLE")
    call.caller("No thanks, goodbye.")
    call.wait(300.0)
    assert not call.hung_up
    assert len(call.emitted(HandoffRequested)) >= 2


def test_danger_on_hold_says_the_number(line: Line) -> None:
    line.caller("A person please.")
    assert "nine eight eight" in line.caller("I want to kill myself.")[0]
    assert [e.fact.reason for e in line.emitted(HandoffRequested)] == ["request", "crisis"]


# --- a second worker ------------------------------------------------------------------------------


def replay(line: Line) -> Line:
    fresh = Line(talk=conversation(ANALYSED), t=line.t, log=list(line.log))
    for s in line.log:
        fresh.talk.receive(s)
    return fresh


def test_second_worker_asks_the_open_question_again(line: Line) -> None:
    line.caller("Where is my order?")
    question = line.caller("4519")[0]
    fresh = replay(line)
    assert [a.text for a in fresh.talk.resume(line.t)] == [question]
    assert "Thursday" in fresh.caller("Yes.")[0]


def test_second_worker_gives_time_for_an_answer_to_its_question(line: Line) -> None:
    line.caller("Where is my order?")
    fresh = replay(line)
    asked = line.t
    fresh.talk.resume(asked)
    fresh.commit(WorkerAttached(worker="second", resumed=True))
    # The gateway's own sentence comes first and takes 5 s; only then the question is heard.
    fresh.t += 5.4
    fresh.commit(Said(leg="caller", start=asked, end=fresh.t, text="...", prompt="worker_lost"))
    assert fresh.wait(4.0) == []


def test_second_worker_gives_again_what_was_not_committed(line: Line) -> None:
    line.commit(Transcribed(leg="caller", start=line.t, end=line.t, text="Hello."))
    line.t += 1.0
    line.log.append(type(line.log[-1])(seq=len(line.log) + 1, t=line.t, fact=Transcribed(
        leg="caller", start=line.t - 1, end=line.t, text="I want a person.")))  # fmt: skip
    line.talk.receive(line.log[-1])
    resumed = replay(line).talk.resume(line.t)
    assert [a.fact for a in resumed] == [HandoffRequested(reason="request")]


def test_second_worker_is_quiet_on_hold_and_ends_a_finished_call(line: Line) -> None:
    line.caller("When are you open?")
    line.caller("No thanks.")
    assert replay(line).talk.resume(line.t) == [HangUp(cause="resolved")]
    other = Line()
    other.start()
    other.caller("A person please.")
    assert replay(other).talk.resume(other.t) == []


def test_nothing_after_the_end(line: Line) -> None:
    line.commit(CallEnded(cause="bye", ending="caller-left"))
    assert line.talk.deadline_s() is None
    assert line.caller("Where is my order?") == []


def test_prompts_of_the_gateway_reset_the_silence(line: Line) -> None:
    line.t += 4.0
    line.commit(Said(leg="caller", start=line.t - 2, end=line.t, text="Recording is off.", prompt="recording_off"))
    assert line.wait(4.9) == []
    assert len(line.wait(0.2)) == 1


def test_patience_knows_what_is_expected(line: Line) -> None:
    line.caller("Where is my order?")
    p = line.talk.patience()
    assert (p.expects, p.digits, p.factor) == ("digits", 4, 1.0)
