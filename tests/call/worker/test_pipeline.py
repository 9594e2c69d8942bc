"""Whole turns through the real pipeline: heard, answered, interrupted, handed to another worker."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np
import pytest

from prosody.emotion import Ear, WindowScore
from prosody.encoder import WhisperEncoder
from prosody.loudness import CallReference
from prosody.streaming import SpeechWindow
from telephony.commands import ClearTurn, PauseTurn, StartTurn, UploadBriefing
from telephony.facts import (
    BargedIn,
    BriefingBuilt,
    ConsentHeard,
    EmotionScored,
    HandoffRequested,
    HandoffState,
    LegsBridged,
    ProsodyMeasured,
    Said,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    TurnTimed,
)
from telephony.settings import Settings
from tests.call.worker.conftest import Call, Gateway
from voice.conversation.endpointing import STOP_S
from voice.engines.stop_words import StopWord
from voice.engines.transcription import Transcript, WhisperTranscriber
from voice.pipeline.engines import Engines
from voice.pipeline.stopwatch import STAGES

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def said(gateway: Gateway, n: int) -> None:
    """Until the agent has said ``n`` turns."""
    await gateway.until(lambda: len(gateway.of(Said)) >= n)


async def test_a_question_is_heard_and_answered_in_time(gateway: Gateway) -> None:
    await said(gateway, 1)
    await gateway.say("I would like to know where my order is.")
    await said(gateway, 2)

    (heard,) = gateway.of(Transcribed)
    assert isinstance(heard, Transcribed)
    assert "order" in heard.text.lower()
    assert heard.final
    assert heard.words
    assert all(heard.start - 0.4 <= a <= b <= heard.end + 0.2 for a, b, _ in heard.words)
    assert "order number" in gateway.texts()[-1].lower()
    started, stopped = gateway.of(SpeechStarted), gateway.of(SpeechStopped)
    assert len(started) == len(stopped) >= 1

    (timed,) = gateway.of(TurnTimed)
    assert isinstance(timed, TurnTimed)
    assert sum(timed.stages_ms.values()) == pytest.approx(timed.total_ms, abs=0.5)
    assert tuple(timed.stages_ms) == STAGES
    assert timed.rule
    answer = gateway.of(Said)[-1]
    assert isinstance(answer, Said)
    # The models take real milliseconds while this call's time stands still: never less than the caller waited.
    assert timed.total_ms >= 1000 * (answer.start - heard.end) - 1
    # Models take no call time here, so what is left beside the wait the rule asked for is the playout.
    assert timed.total_ms - timed.stages_ms["vad_wait"] < 100


async def test_an_answer_nobody_ever_gave_is_made_while_the_end_of_the_turn_is_waited_for(gateway: Gateway) -> None:
    await said(gateway, 1)
    await gateway.say("I would like to know where my order is.")
    await said(gateway, 2)
    await gateway.say("It is seven two zero six.")
    await said(gateway, 3)
    answer, timed = gateway.of(Said)[-1], gateway.of(TurnTimed)[-1]
    assert isinstance(answer, Said)
    assert isinstance(timed, TurnTimed)
    assert "seven two zero six" in answer.text
    assert timed.turn == answer.turn
    assert timed.ready
    # The rehearsal changed nothing: the number was noted once.
    assert len(gateway.texts()) == 3


async def test_captions_come_while_the_caller_speaks_and_change_nothing(call: Call, engines: Engines) -> None:
    assert isinstance(engines.transcriber, WhisperTranscriber)
    gateway = await call(engines=dataclasses.replace(engines, captioner=engines.transcriber))
    await said(gateway, 1)
    await gateway.say("I would like to know where my order is, because I have been waiting for it since last week.")
    await said(gateway, 2)
    *captions, turn = [f for f in gateway.of(Transcribed) if isinstance(f, Transcribed)]
    assert turn.final
    assert captions
    assert not any(f.final for f in captions)
    # The last may fall into a pause that is not yet known to be one.
    assert all(f.end < turn.end + STOP_S for f in captions)
    assert [f.end - f.start for f in captions] == sorted(f.end - f.start for f in captions)
    assert captions[-1].text.split()[:3] == turn.text.split()[:3]
    assert "order number" in gateway.texts()[-1].lower()


async def test_nothing_is_heard_before_the_disclosure(call: Call) -> None:
    gateway = await call(disclosed=False)
    n = len(gateway.log)
    await gateway.say("I would like to know where my order is.")
    await gateway.run(5.0)
    assert len(gateway.log) == n


async def test_words_stop_the_agent_and_a_back_channel_does_not(gateway: Gateway) -> None:
    await said(gateway, 1)
    await gateway.say("When are you open on Saturday?")
    await gateway.until(lambda: len(gateway.texts()) == 2)
    await gateway.run(0.5)
    onset = gateway.t
    await gateway.say("I want to talk to a real person, please.")
    await gateway.until(lambda: any(isinstance(c, ClearTurn) for _, c in gateway.commands))
    await gateway.run(0.1)
    paused = next(t for t, c in gateway.commands if isinstance(c, PauseTurn) and c.on)
    cleared = next(t for t, c in gateway.commands if isinstance(c, ClearTurn))
    assert onset < paused <= cleared
    assert gateway.of(BargedIn)
    cut = [f for f in gateway.of(Said) if isinstance(f, Said) and f.cut]
    assert [f.turn for f in cut] == [2]
    # Paused at the first window that is surely speech, not a word later.
    (interruption,) = [f for f in gateway.of(SpeechStarted) if isinstance(f, SpeechStarted) and onset <= f.at <= paused]
    assert paused - interruption.at < 0.15
    await gateway.until(lambda: any(isinstance(f, HandoffRequested) for f in gateway.of(HandoffRequested)))


async def test_a_back_channel_pauses_the_agent_who_goes_on_from_the_same_sample(
    gateway: Gateway, engines: Engines
) -> None:
    await said(gateway, 1)
    await gateway.say("When are you open on Saturday?")
    await gateway.until(lambda: len(gateway.texts()) == 2)
    begun = len(gateway.sent)
    await gateway.run(0.8)
    await gateway.say("Okay.")
    await said(gateway, 2)
    second = gateway.of(Said)[1]
    assert isinstance(second, Said)
    assert not second.cut
    assert not any(isinstance(c, ClearTurn) for _, c in gateway.commands)
    assert [c.on for _, c in gateway.commands if isinstance(c, PauseTurn)] == [True, False]
    # It was held back for a while, and nothing of it is missing: the phrase is in the cache by now.
    whole = await engines.synthesizer.render(second.text, second.rate_wpm)
    played = bytes(gateway.sent[begun:])
    head = played.find(whole[:3200])
    assert head >= 0
    pause = next(i for i in range(0, len(whole), 320) if played[head + i : head + i + 320] != whole[i : i + 320])
    rest = whole[pause : pause + 3200]
    assert played.find(rest, head + pause + 320) > 0
    await gateway.run(1.5)
    heard = [f for f in gateway.of(Transcribed) if isinstance(f, Transcribed)]
    assert [f.final for f in heard] == [True, False]
    assert len(gateway.texts()) == 2


async def test_the_humans_words_are_heard_and_nothing_else_of_the_human(call: Call) -> None:
    settings = Settings(privacy={"analyse_emotion": True}, store={"dir": "."})  # type: ignore[arg-type]
    gateway = await call(settings=settings)
    await said(gateway, 1)
    await gateway.human_says("Yes, please.")
    await gateway.run(2.5)
    assert not gateway.of(ConsentHeard)
    await gateway.listen_to_human(True)
    await gateway.human_says("Yes, please.")
    await gateway.until(lambda: bool(gateway.of(ConsentHeard)))
    consent = gateway.of(ConsentHeard)[0]
    assert isinstance(consent, ConsentHeard)
    assert consent.intent == "accept"
    legs = {f.leg for f in gateway.of(Transcribed) if isinstance(f, Transcribed)}
    assert legs == {"human"}
    assert not gateway.of(ProsodyMeasured)
    assert not gateway.of(EmotionScored)
    await gateway.listen_to_human(False)
    await gateway.human_says("Hello, this is Anna. I have your order here.")
    n = len(gateway.log)
    await gateway.run(5.0)
    assert not [s for s in gateway.log[n:] if getattr(s.fact, "leg", "") == "human"]


async def test_after_the_bridge_nothing_is_heard_any_more(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.emit(LegsBridged(human="care"))
    n = len(gateway.log)
    await gateway.say("I want to talk to a real person, please.")
    await gateway.run(5.0)
    assert [type(s.fact) for s in gateway.log[n:]] == []


async def test_after_a_human_who_dropped_the_caller_is_heard_again(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.emit(LegsBridged(human="care"))
    await gateway.run(3.0)
    gateway.emit(HandoffState(state="FAILED", outcome="human-dropped"))
    gateway.emit(HandoffState(state="IDLE", outcome="nobody"))
    await said(gateway, 2)
    await gateway.say("When are you open on Saturday?")
    await gateway.until(lambda: bool(gateway.of(Transcribed)))
    await gateway.until(lambda: "Saturday" in gateway.texts()[-1])
    assert not gateway.of(EmotionScored)


async def test_another_worker_goes_on_where_the_first_stood(gateway: Gateway) -> None:
    await said(gateway, 1)
    await gateway.say("I would like to know where my order is.")
    await said(gateway, 2)
    turns = len(gateway.texts())
    await gateway.take_over(next_turn=turns + 1)
    await said(gateway, 3)
    again = [c for _, c in gateway.commands if isinstance(c, StartTurn)][turns:]
    assert [c.turn for c in again] == [turns + 1]
    assert "order number" in again[0].text.lower()
    await gateway.say("The order number is four five one nine.")
    # It hears, too. Which digits it hears is the recogniser's business, and this voice draws noise.
    await gateway.until(lambda: len(gateway.texts()) == turns + 2)
    assert len(gateway.of(Transcribed)) == 2


async def test_a_reply_does_not_talk_over_a_caller_who_goes_on(gateway: Gateway) -> None:
    await said(gateway, 1)
    await gateway.say("When are you open on Saturday?")
    await gateway.until(lambda: bool(gateway.of(Transcribed)))
    # The reply is on its way while the caller is already speaking again.
    began = len(gateway.sent)
    await gateway.say("No, wait, I want to talk to a real person, please.")
    await gateway.until(lambda: bool(gateway.of(HandoffRequested)))
    assert {f.cut for f in gateway.of(Said)[1:] if isinstance(f, Said)} == {True}
    assert np.count_nonzero(np.frombuffer(gateway.sent[began:], "<i2")) < 8000 * 1.0


async def test_another_worker_makes_the_briefing_again_whose_sound_never_arrived(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.emit(HandoffRequested(reason="request"))
    gateway.emit(HandoffState(state="HOLDING", reason="request"))
    await gateway.until(lambda: bool(gateway.of(BriefingBuilt)))
    gateway.commands.clear()
    await gateway.take_over(next_turn=2)
    await gateway.until(lambda: any(isinstance(c, UploadBriefing) for _, c in gateway.commands))
    assert len(gateway.of(BriefingBuilt)) == 1


async def test_a_question_that_waited_is_dropped_when_the_caller_has_gone_on(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.prompt(8.0)
    await gateway.take_over(next_turn=2)
    await gateway.say("When are you open on Saturday?")
    await gateway.until(lambda: len(gateway.of(Said)) >= 4)
    turns = {f.turn: f for f in gateway.of(Said) if isinstance(f, Said) and f.turn}
    assert turns[2].cut
    assert not turns[2].text
    assert "Saturday" in turns[3].text


class ConfusedEar:
    """An ear whose model answers, but not with numbers."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self.name, self.version, self.detector = ear.name, ear.version, ear.detector
        self.threshold_for = ear.threshold_for

    def score(self, window: SpeechWindow, reference: CallReference) -> WindowScore:
        return dataclasses.replace(self._ear.score(window, reference), p_distress=float("nan"), abstained=False)


async def test_an_ear_that_answers_nonsense_is_unknown_and_the_call_goes_on(call: Call, engines: Engines) -> None:
    settings = Settings(privacy={"analyse_emotion": True}, store={"dir": "."})  # type: ignore[arg-type]
    ear = await asyncio.to_thread(Ear.load, "open", WhisperEncoder(engines.transcriber.model))  # type: ignore[attr-defined]
    gateway = await call(settings=settings, engines=dataclasses.replace(engines, ear=ConfusedEar(ear)))  # type: ignore[arg-type]
    await said(gateway, 1)
    await gateway.say("I would like to know where my order is, because it has not arrived yet.")
    await said(gateway, 2)
    scored = [f for f in gateway.of(EmotionScored) if isinstance(f, EmotionScored)]
    assert scored
    assert {(f.p_distress, f.abstained, f.reason) for f in scored} == {(None, True, "ear failed: not a number")}
    assert not gateway.of(ProsodyMeasured)
    assert "order number" in gateway.texts()[-1].lower()


class Deaf:
    """A recogniser that has broken."""

    async def transcribe(self, samples: np.ndarray, expects: str | None = None) -> Transcript:
        raise RuntimeError("broken")

    async def stop_word(self, samples: np.ndarray) -> StopWord:
        raise RuntimeError("broken")


async def test_when_recognition_fails_the_caller_is_told_and_a_human_asked_for(call: Call, engines: Engines) -> None:
    gateway = await call(engines=dataclasses.replace(engines, transcriber=Deaf()))
    await said(gateway, 1)
    await gateway.say("I would like to know where my order is.")
    await gateway.until(lambda: bool(gateway.of(HandoffRequested)))
    await gateway.until(lambda: any("can't hear you" in text for text in gateway.texts()))
    (request,) = gateway.of(HandoffRequested)
    assert isinstance(request, HandoffRequested)
    assert request.reason == "stuck"
    assert [d.rule for _, d in gateway.decisions] == ["engine failed"]


class Mute:
    """A voice that has broken."""

    def __init__(self, voice: object) -> None:
        self.voice = voice

    async def stream(self, text: str, rate_wpm: float):  # type: ignore[no-untyped-def]
        raise RuntimeError("broken")
        yield b""


async def test_when_the_voice_fails_a_human_is_asked_for(call: Call, engines: Engines) -> None:
    mute = dataclasses.replace(engines, synthesizer=Mute(engines.synthesizer.voice))  # type: ignore[arg-type]
    gateway = await call(engines=mute)
    await gateway.until(lambda: bool(gateway.of(HandoffRequested)), at_most_s=2.0)


async def test_two_calls_at_once_do_not_share_a_word(call: Call) -> None:
    one, other = await call(), await call()
    await one.say("There is a mistake on my last bill.")
    await other.say("When are you open on Saturday?")
    while not (one.of(Transcribed) and other.of(Transcribed)):
        assert one.t < 20
        await one.one_tick()
        await other.one_tick()
    bill = " ".join(f.text for f in one.of(Transcribed) if isinstance(f, Transcribed)).lower()
    hours = " ".join(f.text for f in other.of(Transcribed) if isinstance(f, Transcribed)).lower()
    assert "bill" in bill
    assert "saturday" not in bill
    assert "bill" not in hours
