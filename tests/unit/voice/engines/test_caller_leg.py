"""The caller's leg as in a call, real models, on a clock of its own: pauses, echo, music, talk in the background."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.commands import ClearTurn, PauseTurn
from telephony.facts import SpeechStarted, Transcribed
from telephony.media.hold import hold_loop
from tests.unit.voice.engines.conftest import babble, clip
from voice.conversation.bargein import STOP_SCORE
from voice.conversation.patience import Expectation
from voice.engines.stop_words import StopWord
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import Transcript, WhisperTranscriber
from voice.engines.turn_end import SmartTurn
from voice.engines.vad import SileroModel
from voice.evaluation.turns_corpus import framed, pause_inside, span
from voice.evaluation.turns_sounds import at_level
from voice.evaluation.turns_stops import Agent, interrupt
from voice.evaluation.virtual_line import Line, Models

Sound = NDArray[np.float32]
RATE_HZ = 8000
AGENT = "Your parcel left our warehouse on Tuesday morning, and it should be with you by Friday at the latest."


@pytest.fixture(scope="module")
def models(silero: SileroModel, transcriber: WhisperTranscriber, smart_turn: SmartTurn) -> Models:
    return Models(vad=silero, transcriber=transcriber, turn_end=smart_turn)


def quiet(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def speech(name: str) -> Sound:
    samples = clip(name)
    first, last = span(samples)
    return at_level(samples[first:last], -23.0)


async def spoken(synthesizer: PiperSynthesizer, text: str) -> Sound:
    pcm = await synthesizer.render(text, 165)
    return (np.frombuffer(pcm, "<i2") / 32768).astype(np.float32)


def finals(line: Line) -> list[tuple[float, Transcribed]]:
    return [(t, f) for t, f in line.facts if isinstance(f, Transcribed) and f.final]


async def test_digits_are_waited_for_over_a_breath(models: Models, synthesizer: PiperSynthesizer) -> None:
    parts = [await spoken(synthesizer, "Four, five, one."), await spoken(synthesizer, "Nine, eight, two, seven.")]
    turn = framed("digits", parts, [0.9], "4519827", held_out=False)
    line = Line(models, Expectation(expects="digits", digits=12))
    await line.hear(turn.samples)
    ((at_s, heard),) = finals(line)
    assert heard.end - heard.start > 0.9
    assert 1.2 < at_s - turn.end_s < 1.8


async def test_an_upset_caller_is_given_half_as_long_again(models: Models) -> None:
    delays = []
    for upset in (False, True):
        line = Line(models, Expectation(upset=upset))
        said = speech("librivox-0880")
        await line.hear(np.concatenate([quiet(0.5), said, quiet(2.5)]))
        ((at_s, heard),) = finals(line)
        delays.append(at_s - heard.end)
    assert delays[1] - delays[0] == pytest.approx(0.5 * delays[0], abs=0.07)


class Counting:
    """The recogniser, and how often it was really asked to work."""

    def __init__(self, real: WhisperTranscriber) -> None:
        self.real, self.n = real, 0

    def recognise(self, samples: Sound, *, expects: str | None = None) -> Transcript:
        self.n += 1
        return self.real.recognise(samples, expects=expects)


async def test_recognition_begun_in_a_breath_is_dropped_when_speech_goes_on(models: Models) -> None:
    counting = Counting(models.transcriber)
    counted = Models(vad=models.vad, transcriber=counting, turn_end=models.turn_end)  # type: ignore[arg-type]
    line = Line(counted)
    # A breath of 0.16 s: work begins after 0.1 s and would be ready after 0.21 s.
    tone = speech("lj-LJ001-0008")[:4000]
    await line.hear(np.concatenate([quiet(0.5), tone, quiet(0.16), tone, quiet(2.0)]))
    assert len(finals(line)) == 1
    assert counting.n == 1


async def test_the_agents_own_echo_does_not_stop_it(models: Models, synthesizer: PiperSynthesizer) -> None:
    line = Line(models)
    line.say(1, AGENT, await synthesizer.render(AGENT, 165))
    await line.hear(quiet(7.0), echo_db=-20.0, echo_s=0.18)
    assert line.commands == []
    assert line.facts == []


async def test_a_prompt_that_comes_back_is_not_heard_as_the_caller(
    models: Models, synthesizer: PiperSynthesizer
) -> None:
    line = Line(models)
    line.playout.say("worker_lost", AGENT, await synthesizer.render(AGENT, 165))
    await line.hear(quiet(7.0), echo_db=-20.0)
    assert line.facts == []


async def test_music_on_the_callers_side_is_no_speech(models: Models) -> None:
    line = Line(models)
    music = (np.frombuffer(hold_loop(), "<i2") / 32768).astype(np.float32)
    await line.hear(np.concatenate([quiet(0.5), at_level(music, -23.0), at_level(music, -23.0), quiet(1.0)]))
    assert line.facts == []


@pytest.mark.parametrize("name", ["librivox-0930", "lj-LJ001-0004"])
async def test_amid_talk_as_loud_as_the_caller_they_are_asked_again_and_nothing_is_made_up(
    models: Models, name: str
) -> None:
    said = speech(name)
    sound = np.concatenate([quiet(0.5), said, quiet(8.0)])
    line = Line(models)
    await line.hear(sound + np.sqrt(np.mean(said**2)) * babble(len(sound)))
    heard = finals(line)
    assert {f.text for _, f in heard} == {""}
    assert {f.refused for _, f in heard} == {"noise"}
    asked = [at_s - 0.5 - len(said) / RATE_HZ for at_s, _ in heard]
    assert any(0 < after_s < 6.5 for after_s in asked), asked


async def test_noise_does_not_stop_the_agent_but_a_caller_over_it_does(
    models: Models, synthesizer: PiperSynthesizer
) -> None:
    pcm = await synthesizer.render(AGENT, 165)
    said = speech("librivox-0930")
    noise = 0.3 * np.sqrt(np.mean(said**2)) * babble(12 * RATE_HZ)
    stopped, words = [], []
    for over in (np.zeros_like(said), said):
        line = Line(models)
        await line.hear(noise[: 6 * RATE_HZ])
        line.commands.clear()
        line.say(1, AGENT, pcm)
        await line.hear(noise[6 * RATE_HZ :] + np.pad(over, (RATE_HZ, 6 * RATE_HZ))[: 6 * RATE_HZ])
        stopped.append(any(isinstance(c, ClearTurn) for _, c in line.commands))
        words.append({f.text for _, f in finals(line)} - {""})
    assert stopped == [False, True]
    assert words[0] == set(), "nor is it anything said"
    assert words[1]


async def test_talk_in_the_background_begins_no_turn_once_the_caller_is_known(models: Models) -> None:
    line = Line(models)
    near, far = speech("librivox-0880"), at_level(speech("lj-LJ001-0008"), -44.0)
    await line.hear(np.concatenate([quiet(0.5), near, quiet(1.5), far, quiet(1.5)]))
    assert len(finals(line)) == 1
    assert len([f for _, f in line.facts if isinstance(f, SpeechStarted)]) <= 2
    # Alone on the line the same talk is the caller's: nothing says otherwise.
    line = Line(models)
    await line.hear(np.concatenate([quiet(0.5), far, quiet(1.5)]))
    assert len(finals(line)) == 1


async def test_a_sentence_silences_the_agent_within_a_third_of_a_second(
    models: Models, synthesizer: PiperSynthesizer
) -> None:
    agent = Agent(text=AGENT, pcm=await synthesizer.render(AGENT, 165))
    onset = await interrupt(models, agent, speech("librivox-0930"), at_s=1.5, echo_s=0.12)
    assert onset.stopped
    assert onset.silent_s is not None
    assert onset.silent_s <= 0.3


async def test_after_a_false_alarm_the_agent_goes_on_from_the_same_sample(
    models: Models, synthesizer: PiperSynthesizer
) -> None:
    pcm = await synthesizer.render(AGENT, 165)
    line = Line(models)
    line.say(1, AGENT, pcm)
    okay = at_level(await spoken(synthesizer, "Okay."), -23.0)
    await line.hear(np.concatenate([quiet(1.5), okay, quiet(6.0)]))
    assert [c.on for _, c in line.commands if isinstance(c, PauseTurn)] == [True, False]
    assert not any(isinstance(c, ClearTurn) for _, c in line.commands)
    frames = [pcm[i : i + 320].ljust(320, b"\0") for i in range(0, len(pcm), 320)]
    assert [f for f in line.sent if any(f)] == [f for f in frames if any(f)]


class Unsure:
    """A recogniser that reads a short sound as an answer, but not surely, and knows how likely it was a "stop"."""

    def __init__(self, score: float) -> None:
        self.score = score

    def recognise(self, samples: Sound, *, expects: str | None = None) -> Transcript:
        return Transcript(text="No, okay.", log_prob=-0.6, no_speech=0.1)

    def judge_stop(self, samples: Sound) -> StopWord:
        return StopWord(word="Stop.", score=self.score)


@pytest.mark.parametrize(("score", "stops"), [(STOP_SCORE - 1, []), (STOP_SCORE + 1, ["Stop."])])
async def test_a_turn_over_before_it_is_known_whether_it_was_one_waits_for_that(
    models: Models, synthesizer: PiperSynthesizer, score: float, stops: list[str]
) -> None:
    unsure = Models(vad=models.vad, transcriber=Unsure(score), turn_end=models.turn_end)  # type: ignore[arg-type]
    line = Line(unsure)
    line.say(1, AGENT, await synthesizer.render(AGENT, 165))
    okay = at_level(await spoken(synthesizer, "Okay."), -23.0)
    await line.hear(np.concatenate([quiet(1.5), okay[: RATE_HZ * 4 // 10], quiet(3.0)]))
    assert [f.text for _, f in finals(line)] == stops
    assert any(isinstance(c, ClearTurn) for _, c in line.commands) == bool(stops)


async def test_a_caller_whose_distress_rises_is_not_talked_over(models: Models, synthesizer: PiperSynthesizer) -> None:
    line = Line(models)
    line.say(1, AGENT, await synthesizer.render(AGENT, 165))
    okay = at_level(await spoken(synthesizer, "Okay."), -23.0)
    await line.hear(np.concatenate([quiet(1.5), okay[: 8000 * 3 // 10]]))
    assert [type(c) for _, c in line.commands] == [PauseTurn]
    line.leg.distress("attend")
    assert any(isinstance(c, ClearTurn) for _, c in line.commands)


def test_a_pause_is_put_where_the_speaker_made_one() -> None:
    samples = speech("lj-LJ001-0004")
    at = pause_inside(samples)
    assert at is not None
    around = samples[at - 200 : at + 200]
    assert np.abs(around).max() < 0.1 * np.abs(samples).max()
