"""One call in virtual time: what the gateway does by itself, minute by minute, without a socket or a sleep."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
import soundfile as sf

from telephony import call_worker
from telephony.call_lines import caller_event
from telephony.commands import ClearTurn, ContinueTurn, HangUp, PauseTurn, StartTurn, UploadBriefing
from telephony.facts import (
    BriefingBuilt,
    CallEnded,
    CallerWithdrew,
    ConsentHeard,
    EmotionScored,
    HandoffRequested,
    HandoffState,
    KeyPressed,
    LegsBridged,
    Transcribed,
)
from telephony.leg import Closed, FarHold, Key, KeyDown
from telephony.media.pcm import level_db
from telephony.messages import UnknownMessage
from telephony.recovery import verify
from telephony.transfer_messages import TellCaller
from tests.call.scripted_worker import tone
from tests.call.virtual_call import Port, VirtualCall

Make = Callable[..., VirtualCall]
SCORED = EmotionScored(start=1, end=3, arousal=0.6, p_distress=0.7)


def bridged(v: VirtualCall) -> VirtualCall:
    v.run(1.0)
    v.states(HandoffRequested(reason="distress"))
    v.human_answers()
    v.until("Said", leg="human", prompt="screening")
    v.human_presses("1")
    v.until("HandoffState", state="DECIDING")
    v.human_presses("1")
    return v.until("HandoffState", state="BRIDGED")


def test_disclosure_comes_first_and_only_a_key_cuts_it(make: Make) -> None:
    v = make()
    v.run(0.2)
    assert not v.facts("Disclosed")
    caller_event(v.call, KeyDown())
    v.caller_presses("5")
    v.run(0.1)
    said, disclosed = v.facts("Said")[0], v.facts("Disclosed")[0]
    assert said["cut"]
    assert disclosed["text"] == "This is disclosure."
    assert disclosed["t"] < 0.3


def test_recordings_last_exactly_as_long_as_the_call(make: Make) -> None:
    v = make()
    v.speech = tone(500, 0.02)
    v.run(7.31)
    v.caller_leaves()
    v.run(0.1)
    assert v.call.ended
    v.store_away()
    folder = v.store / "calls" / "call-1"
    end = v.facts("CallEnded")[0]["t"]
    assert {sf.info(folder / f"{n}.flac").frames for n in ("caller", "agent")} == {round(end * 8000)}
    assert verify(v.store) == []
    assert abs(v.call.drift_ms) < 20


def test_worker_may_not_claim_what_only_the_gateway_knows(make: Make) -> None:
    v = make()
    v.run(1.0)
    before = len(v.call.log.facts)
    for fact in (
        CallEnded(cause="x", ending="resolved"),
        KeyPressed(leg="human", key="1"),
        LegsBridged(human="h1"),
        HandoffState(state="BRIDGED"),
    ):
        v.states(fact)
    v.states(ConsentHeard(intent="accept", text="yes", end=1.0))
    v.states(Transcribed(leg="human", start=0, end=1, text="hello"))
    assert len(v.call.log.facts) == before
    with pytest.raises(UnknownMessage):
        call_worker.hear(v.call, {"call": 1, "fact": "Nonsense"})


def test_scores_are_taken_only_while_they_are_allowed(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.states(SCORED)
    assert len(v.facts("EmotionScored")) == 1
    v.caller_presses("9")
    v.states(SCORED)
    assert not v.facts("EmotionScored")
    assert len(v.facts("Erased")) == 1


def test_scores_are_never_taken_when_the_operator_has_not_switched_them_on(make: Make) -> None:
    v = make(privacy={"analyse_emotion": False})
    v.run(1.0)
    v.states(SCORED)
    assert not v.facts("EmotionScored")


def test_nothing_is_measured_after_the_first_join_even_if_the_human_drops(make: Make) -> None:
    v = bridged(make())
    v.states(SCORED)
    v.human_does(Closed())
    v.run(1.0)
    v.states(SCORED)
    assert not v.facts("EmotionScored")


def test_no_sound_reaches_a_worker_after_the_bridge(make: Make) -> None:
    v = bridged(make())
    v.call.out.clear()
    v.speech = tone(500, 0.02)
    v.run(2.0)
    assert v.call.out == []
    assert any(level_db(f) > -20 for f in v.human.heard[-20:])  # type: ignore[union-attr]


def test_human_sound_reaches_the_worker_only_while_it_is_to_listen(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.states(HandoffRequested(reason="distress"))
    v.run(0.2)
    v.call.out.clear()
    v.human_speech = tone(700, 0.02)
    v.human_answers()
    v.run(0.5)
    assert any(r.flags & 8 for r in v.call.out)
    assert [m["on"] for m in v.worker.sent if m.get("command") == "ListenToHuman"] == [True]


def test_briefing_is_played_from_the_gateways_own_memory_after_the_worker_died(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.states(HandoffRequested(reason="distress"))
    v.states(BriefingBuilt(text="Anna.", fields={}))
    v.orders(UploadBriefing(pcm_base64=base64.b64encode(tone(2300, 1.0)).decode(), text="Anna.", fields={}))
    v.human_answers()
    v.until("Said", leg="human", prompt="screening")
    v.call.worker_lost("killed")
    v.human_presses("1")
    v.until("Said", leg="human", prompt="briefing")
    assert v.facts("Said", prompt="briefing")[0]["text"] == "Anna."
    assert not v.facts("Said", prompt="worker_lost"), "the caller on hold hears hold sound, not news of our parts"


def test_hold_sound_never_pauses_for_half_a_second(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.caller_presses("0")
    v.run(1.0)
    start = len(v.line.heard)
    v.human_answers()
    v.run(8.0)
    sound = b"".join(v.line.heard[start:])
    quietest = min(level_db(sound[a : a + 8000]) for a in range(0, len(sound) - 8000, 1600))
    assert quietest > -50


def test_turns_during_hold_are_refused_but_reported(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.caller_presses("0")
    v.orders(StartTurn(turn=7, text="may I say", rate_wpm=150))
    v.sound_of_turn(7, 1000, 1.0)
    v.run(2.0)
    said = v.facts("Said", turn=7)[0]
    assert (said["cut"], said["text"]) == (True, "")
    v.orders(StartTurn(turn=8, text="call 988", rate_wpm=150, keep=True))
    v.sound_of_turn(8, 1000, 1.0)
    v.until("Said", turn=8, text="call 988")


def test_zero_cuts_the_agent_and_rings(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="a " * 30, rate_wpm=150))
    v.sound_of_turn(1, 1000, 10.0)
    v.run(1.0)
    v.caller_presses("0")
    v.run(0.1)
    assert v.facts("Said", turn=1)[0]["cut"]
    uri, headers, _ = v.exchange.dialled[0]
    assert uri == "sip:h1@192.0.2.1"
    assert set(headers) == {"User-to-User", "Session-ID", "Call-Info"}
    v.caller_presses("0")
    v.run(1.0)
    assert len(v.facts("HandoffRequested")) == 1
    assert len(v.exchange.dialled) == 1


def test_a_hang_up_waits_for_the_goodbye(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="goodbye", rate_wpm=150))
    v.orders(HangUp(cause="finished"))
    v.sound_of_turn(1, 1000, 1.5)
    v.run(1.0)
    assert not v.line.hung_up
    v.run(1.0)
    assert v.line.hung_up
    assert v.facts("CallEnded", ending="resolved", cause="finished")


def test_a_turn_in_parts_is_one_turn_whose_gap_nobody_fills(make: Make) -> None:
    """The second sentence is late: no filler in between, no goodbye before it, and one `Said` for both."""
    v = make()
    v.run(1.0)
    v.states(Transcribed(leg="caller", start=0.2, end=0.8, text="where is my order"))
    v.orders(StartTurn(turn=1, text="one two", rate_wpm=150))
    v.orders(HangUp(cause="finished"))
    v.sound_of_turn(1, 1000, 1.0, last=False)
    v.run(3.0)
    assert not v.facts("Said", turn=1)
    assert not v.facts("Said", prompt="please_wait")
    v.orders(ContinueTurn(turn=1, text="three four", sample=8000))
    v.sound_of_turn(1, 1000, 1.0)
    v.run(2.0)
    [said] = v.facts("Said", turn=1)
    assert (said["text"], said["cut"]) == ("one two three four", False)
    assert v.line.hung_up


def test_a_worker_cannot_end_a_call_with_an_ending_of_its_choice(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(HangUp(cause="x", ending="with-human"))
    v.run(2.0)
    assert not v.call.ended


def test_a_caller_who_hangs_up_in_the_goodbye_has_been_helped(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="goodbye", rate_wpm=150))
    v.orders(HangUp(cause="finished"))
    v.sound_of_turn(1, 1000, 1.5)
    v.run(0.5)
    v.caller_leaves()
    assert v.facts("CallEnded", ending="resolved")


def test_lost_worker_caller_is_told_within_a_second_and_the_next_one_has_it_all(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="a " * 30, rate_wpm=150))
    v.sound_of_turn(1, 1000, 10.0, last=False)
    v.run(1.0)
    v.call.worker_lost("silent for 0.9 s")
    second = Port("w2")
    v.call.attach(second, {"m": "1"})
    v.run(1.0)
    said = v.facts("Said", prompt="worker_lost")[0]
    assert said["start"] - v.facts("WorkerLost")[0]["t"] <= 0.1
    attach = second.sent[0]
    assert (attach["command"], attach["resumed"], attach["next_turn"]) == ("Attach", True, 2)
    assert [f["seq"] for f in attach["facts"]] == list(range(1, len(attach["facts"]) + 1))
    assert second.sent[1]["fact"] == "WorkerAttached"
    assert second.sent[1]["seq"] == len(attach["facts"]) + 1


def test_no_worker_comes_so_a_human_does(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.call.worker_lost("killed")
    v.until("HandoffRequested", limit_s=5, reason="worker-lost")
    v.until("HandoffState", state="DIALLING")


def test_nobody_the_caller_is_told_only_after_the_ticket_is_on_disk(make: Make) -> None:
    v = make(targets=0)
    v.run(1.0)
    v.slow_disk = True
    v.caller_presses("0")
    v.run(2.0)
    assert v.held_back, "the ticket is being written"
    assert not v.facts("CallbackTicketed")
    assert not v.facts("Said", prompt="nobody_callback")
    for work, then in v.held_back:
        work()
        then()
    v.until("CallEnded", ending="told-and-callback")
    ticket, said = v.facts("CallbackTicketed")[0], v.facts("Said", prompt="nobody_callback")[0]
    assert ticket["seq"] < said["seq"]
    written = json.loads((v.store / "callbacks" / f"{ticket['ref']}.json").read_text())
    assert written["number"] == "anna"


def test_keys_pass_the_bridge_both_ways(make: Make) -> None:
    v = bridged(make())
    v.caller_presses("4")
    v.human_presses("6")
    assert v.human is not None
    assert (v.human.keys, v.line.keys) == ("4", "6")


def test_while_the_human_holds_the_caller_hears_hold_sound(make: Make) -> None:
    v = bridged(make())
    v.until("Said", prompt="intro_caller")
    v.human_speech = None
    v.human_does(FarHold(on=True))
    v.run(1.0)
    assert -45 < level_db(b"".join(v.line.heard[-25:])) < -30
    v.human_speech = tone(700, 0.02)
    v.human_does(FarHold(on=False))
    v.run(1.0)
    assert level_db(b"".join(v.line.heard[-25:])) > -20
    assert not v.facts("AudioLost")


def test_a_key_is_no_lost_audio_but_a_hole_is(make: Make) -> None:
    v = make()
    v.speech = tone(500, 0.02)
    v.run(1.0)
    v.speech = None
    caller_event(v.call, KeyDown())
    v.run(0.14)
    caller_event(v.call, Key(key="5"))
    v.speech = tone(500, 0.02)
    v.run(1.0)
    assert not v.facts("AudioLost")
    v.speech = None
    v.run(0.3)
    v.speech = tone(500, 0.02)
    v.run(1.0)
    [lost] = v.facts("AudioLost")
    assert 0.2 <= lost["end"] - lost["start"] <= 0.3


def test_pause_clear_and_barge_in(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="one two three four", rate_wpm=120))
    v.sound_of_turn(1, 1000, 2.0)
    v.run(1.0)
    v.orders(PauseTurn(on=True))
    v.run(0.5)
    assert v.line.flushes == 1
    assert not any(level_db(f) > -50 for f in v.line.heard[-20:])
    # The caller began 0.1 s before the agent was held back; that it stays so was clear half a second later.
    onset = v.call.t - 0.6
    v.orders(ClearTurn(turn=1, onset=onset))
    barged, said = v.facts("BargedIn")[0], v.facts("Said", turn=1)[0]
    assert barged["heard_text"] == said["text"] == "one two"
    assert barged["stopped_after_ms"] == pytest.approx(100, abs=21)


def test_a_stalled_process_keeps_call_time_and_plays_nothing_twice(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="x", rate_wpm=120))
    v.sound_of_turn(1, 1000, 1.0)
    v.run(0.5)
    sent = len(v.line.heard)
    v.now += 0.5
    v.call.beat(v.now)
    assert len(v.line.heard) - sent <= 2, "what was late is not poured out at once"
    assert v.call.t == pytest.approx(v.now - 100.0, abs=0.02)
    said = v.until("Said", turn=1).facts("Said", turn=1)[0]
    assert said["end"] - said["start"] == pytest.approx(1.46, abs=0.05)


def test_the_process_must_end(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.call.wind_up()
    v.until("CallEnded", ending="told-and-callback")
    assert v.line.hung_up


def test_without_recording_there_is_no_sound_on_disk(make: Make) -> None:
    v = make(privacy={"record": False})
    v.run(2.0)
    v.caller_leaves()
    v.run(0.1)
    v.store_away()
    folder = v.store / "calls" / "call-1"
    assert sorted(p.name for p in folder.iterdir()) == ["decisions.jsonl", "facts.jsonl", "summary.json"]
    assert verify(v.store) == []


def test_a_hold_that_begins_after_a_silence_is_not_met_with_please_wait(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="is that right", rate_wpm=150))
    v.sound_of_turn(1, 1000, 1.0)
    v.run(4.0)
    v.caller_presses("0")
    v.run(5.0)
    assert [f["prompt"] for f in v.facts("Said") if f["prompt"]] == ["disclosure", "hold_start"]


def test_zero_in_the_disclosure_counts_as_disclosed_or_the_agent_would_stay_deaf(make: Make) -> None:
    v = make()
    v.run(0.2)
    v.caller_presses("0")
    v.run(0.1)
    names = v.names()
    assert names.index("Disclosed") < names.index("HandoffRequested")


def test_a_briefing_whose_sound_went_down_with_its_worker_is_missed_once_not_twice(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.caller_presses("0")
    v.states(BriefingBuilt(text="Order late.", fields={}))
    v.human_answers()
    v.until("Said", leg="human", prompt="screening")
    v.human_presses("1")
    v.until("HandoffState", state="DECIDING")
    assert len(v.facts("Said", leg="human", prompt="briefing_missing")) == 1


def test_after_a_dropped_human_the_agent_may_speak_as_soon_as_it_knows(make: Make) -> None:
    v = bridged(make())
    v.slow_disk = True
    v.human_does(Closed())
    v.run(0.3)
    assert not v.facts("HandoffState", state="IDLE"), "the agent would speak before it may"
    for work, then in v.held_back:
        work()
        then()
    assert v.facts("CallbackTicketed")[0]["seq"] < v.facts("HandoffState", state="IDLE")[0]["seq"]
    v.orders(StartTurn(turn=1, text="I am back", rate_wpm=150))
    v.sound_of_turn(1, 1000, 0.5)
    assert not v.until("Said", turn=1).facts("Said", turn=1)[0]["cut"]


def test_no_filler_is_queued_behind_the_reply_it_was_to_bridge(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="here it is", rate_wpm=150))
    v.sound_of_turn(1, 1000, 1.0)
    v.call.machines.obey([TellCaller(prompt="please_wait")])
    v.until("Said", turn=1).run(3.0)
    assert not v.facts("Said", prompt="please_wait")
    v.call.machines.obey([TellCaller(prompt="please_wait")])
    v.until("Said", prompt="please_wait")


def test_a_caller_who_holds_us_misses_nothing_of_the_answer(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.orders(StartTurn(turn=1, text="we are open all day", rate_wpm=150))
    v.sound_of_turn(1, 1000, 2.0)
    v.run(0.5)
    caller_event(v.call, FarHold(on=True))
    v.orders(PauseTurn(on=False))
    v.run(5.0)
    assert not v.facts("Said", turn=1)
    caller_event(v.call, FarHold(on=False))
    said = v.until("Said", turn=1, limit_s=3.0).facts("Said", turn=1)[0]
    assert not said["cut"]
    assert said["end"] - said["start"] == pytest.approx(7.0, abs=0.2)


def test_a_caller_who_withdraws_is_not_told_to_stay_on_the_line(make: Make) -> None:
    v = make()
    v.run(1.0)
    v.caller_presses("0")
    v.run(0.3)
    v.states(CallerWithdrew())
    v.run(0.1)
    [told] = v.facts("Said", leg="caller", prompt="hold_start")
    assert told["cut"]
    v.orders(StartTurn(turn=1, text="I am back", rate_wpm=150))
    v.sound_of_turn(1, 1000, 0.5)
    assert v.until("Said", turn=1, limit_s=2.0).facts("Said", turn=1)[0]["start"] < told["end"] + 0.3
