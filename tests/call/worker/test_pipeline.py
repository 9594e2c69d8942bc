"""Whole turns through the real pipeline: heard, answered, interrupted, handed to another worker."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from telephony.messages import (
    BargedIn,
    ClearTurn,
    ConsentHeard,
    EmotionScored,
    HandoffRequested,
    LegsBridged,
    PauseTurn,
    ProsodyMeasured,
    Said,
    SpeechStarted,
    SpeechStopped,
    StartTurn,
    Transcribed,
    TurnTimed,
)
from telephony.settings import Settings
from tests.call.worker.conftest import Gateway, clip
from voice.engines.transcription import Transcript
from voice.pipeline.engines import Engines

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def said(gateway: Gateway, n: int) -> None:
    """Until the agent has said ``n`` turns."""
    await gateway.until(lambda: len(gateway.of(Said)) >= n)


async def test_a_question_is_heard_and_answered_in_time(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.say(clip("where_is_my_order"))
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
    assert set(timed.stages_ms) == {"vad_wait", "recognition", "decision", "first_audio", "link"}
    answer = gateway.of(Said)[-1]
    assert isinstance(answer, Said)
    assert timed.total_ms == pytest.approx(1000 * (answer.start - heard.end), abs=1)
    # Models take no call time here, so what is left is the wait the rule asked for and the playout.
    assert timed.total_ms < 1000


async def test_nothing_is_heard_before_the_disclosure(engines: Engines, settings: Settings) -> None:
    gateway = await Gateway(engines, settings).answer(disclosed=False)
    n = len(gateway.log)
    gateway.say(clip("where_is_my_order"))
    await gateway.run(5.0)
    await gateway.close()
    assert len(gateway.log) == n


async def test_words_stop_the_agent_and_a_back_channel_does_not(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.say(clip("opening_hours"))
    await gateway.until(lambda: len(gateway.texts()) == 2)
    await gateway.run(0.5)
    onset = gateway.t
    gateway.say(clip("want_person"))
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
    okay = await engines.synthesizer.render("Okay.", 165)
    await said(gateway, 1)
    gateway.say(clip("opening_hours"))
    await gateway.until(lambda: len(gateway.texts()) == 2)
    begun = len(gateway.sent)
    await gateway.run(0.8)
    gateway.say(okay)
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


async def test_the_humans_words_are_heard_and_nothing_else_of_the_human(engines: Engines) -> None:
    settings = Settings(privacy={"analyse_emotion": True}, store={"dir": "."})  # type: ignore[arg-type]
    gateway = await Gateway(engines, settings).answer()
    await said(gateway, 1)
    gateway.human_says(clip("yes_please_slt"))
    await gateway.run(2.5)
    assert not gateway.of(ConsentHeard)
    await gateway.listen_to_human(True)
    gateway.human_says(bytes(8000) + clip("yes_please_slt") + bytes(16000))
    await gateway.until(lambda: bool(gateway.of(ConsentHeard)))
    consent = gateway.of(ConsentHeard)[0]
    assert isinstance(consent, ConsentHeard)
    assert consent.intent == "accept"
    legs = {f.leg for f in gateway.of(Transcribed) if isinstance(f, Transcribed)}
    assert legs == {"human"}
    assert not gateway.of(ProsodyMeasured)
    assert not gateway.of(EmotionScored)
    await gateway.listen_to_human(False)
    gateway.human_says(clip("human_hello_slt"))
    n = len(gateway.log)
    await gateway.run(5.0)
    await gateway.close()
    assert not [s for s in gateway.log[n:] if getattr(s.fact, "leg", "") == "human"]


async def test_after_the_bridge_nothing_is_heard_any_more(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.emit(LegsBridged(human="care"))
    n = len(gateway.log)
    gateway.say(clip("want_person"))
    await gateway.run(5.0)
    assert [type(s.fact) for s in gateway.log[n:]] == []


async def test_another_worker_goes_on_where_the_first_stood(gateway: Gateway) -> None:
    await said(gateway, 1)
    gateway.say(clip("where_is_my_order"))
    await said(gateway, 2)
    turns = len(gateway.texts())
    await gateway.take_over(next_turn=turns + 1)
    await said(gateway, 3)
    again = [c for _, c in gateway.commands if isinstance(c, StartTurn)][turns:]
    assert [c.turn for c in again] == [turns + 1]
    assert "order number" in again[0].text.lower()
    gateway.say(clip("order_4519"))
    await gateway.until(lambda: "four five one nine" in gateway.texts()[-1])


class Deaf:
    """A recogniser that has broken."""

    async def transcribe(self, samples: np.ndarray) -> Transcript:
        raise RuntimeError("broken")


async def test_when_recognition_fails_the_caller_is_told_and_a_human_asked_for(
    engines: Engines, settings: Settings
) -> None:
    gateway = await Gateway(dataclasses.replace(engines, transcriber=Deaf()), settings).answer()
    await said(gateway, 1)
    gateway.say(clip("where_is_my_order"))
    await gateway.until(lambda: bool(gateway.of(HandoffRequested)))
    await gateway.until(lambda: any("can't hear you" in text for text in gateway.texts()))
    await gateway.close()
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


async def test_when_the_voice_fails_a_human_is_asked_for(engines: Engines, settings: Settings) -> None:
    mute = dataclasses.replace(engines, synthesizer=Mute(engines.synthesizer.voice))  # type: ignore[arg-type]
    gateway = await Gateway(mute, settings).answer()
    await gateway.until(lambda: bool(gateway.of(HandoffRequested)), at_most_s=2.0)
    await gateway.close()


async def test_two_calls_at_once_do_not_share_a_word(engines: Engines, settings: Settings) -> None:
    one = await Gateway(engines, settings).answer()
    other = await Gateway(engines, settings).answer()
    one.say(bytes(48000) + clip("bill_wrong"))
    other.say(bytes(48000) + clip("opening_hours"))
    while not (one.of(Transcribed) and other.of(Transcribed)):
        assert one.t < 20
        await one.one_tick()
        await other.one_tick()
    await one.close()
    await other.close()
    bill = " ".join(f.text for f in one.of(Transcribed) if isinstance(f, Transcribed)).lower()
    hours = " ".join(f.text for f in other.of(Transcribed) if isinstance(f, Transcribed)).lower()
    assert "bill" in bill
    assert "saturday" not in bill
    assert "bill" not in hours
