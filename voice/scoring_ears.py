"""A recording through the very ears of a live call, without waiting: facts with the call time at which they are due.

The caller's leg is `voice.pipeline.caller_leg`, as in a call; only its engines answer at once. What was said to the
caller, on the second channel, tells it their echo. Of that side only the words are taken.

Hears from: `voice.scoring` (samples). Tells: the same.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from telephony.commands import Command
from telephony.facts import Decision, Fact, Said
from telephony.link_codec import FRAME_S, SILENT_DB
from telephony.media.pcm import level_db
from voice.conversation.endpointing import TurnEnded
from voice.engines.pool import Priority
from voice.engines.stop_words import StopWord
from voice.engines.transcription import Transcript
from voice.engines.vad import SileroDetector
from voice.errors import EngineError
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.caller_leg import CallerLeg
from voice.pipeline.ear_tap import EarTap
from voice.pipeline.listener import Listener
from voice.pipeline.port import CallClock
from voice.pipeline.stopwatch import Stopwatch

if TYPE_CHECKING:
    from voice.scoring import Engines

RATE_HZ = 8000
FRAME = round(FRAME_S * RATE_HZ)
END_S = 3.0
"""Silence heard after the recording, longer than any wait for the end of a turn: the last one ends by its own rule."""

Timed = tuple[float, Fact]
Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a recording is heard [s]: all of a file; of a call's own what the live ears were allowed to hear."""

    start_s: float = 0.0
    end_s: float = math.inf
    ear_until_s: float = math.inf


def listen(samples: Samples, engines: Engines, part: Part) -> list[Timed]:
    """Facts of a recording [n, 1 or 2] at 8 kHz, each channel's in order."""
    return asyncio.run(_listen(samples, engines, part))


async def _listen(samples: Samples, engines: Engines, part: Part) -> list[Timed]:
    other = samples[:, 1] if samples.shape[1] == 2 else None
    heard = await _caller(samples[:, 0], other, engines, part)
    return heard if other is None else [*heard, *await _other(other, engines, part)]


@dataclass(slots=True, kw_only=True)
class _Answers:
    """The engines, answering at once."""

    engines: Engines

    async def transcribe(self, samples: npt.NDArray[np.float32], expects: str | None = None) -> Transcript:
        return self.engines.transcriber.recognise(samples, expects=expects)

    async def stop_word(self, samples: npt.NDArray[np.float32]) -> StopWord:
        return self.engines.transcriber.judge_stop(samples)

    async def p_complete(self, samples: npt.NDArray[np.float32], *, due: bool = False) -> float:
        return self.engines.turn_end.judge(samples)

    async def run(self, priority: Priority, work: Callable[[], tuple[Fact, ...]]) -> tuple[Fact, ...]:
        return work()


@dataclass(slots=True, kw_only=True)
class _Log:
    """Where a leg's facts go. Its commands are for an agent that isn't there."""

    length_s: float
    now_s: float = 0.0
    facts: list[Timed] = field(default_factory=list)

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        self.facts.append((min(self.now_s, self.length_s), fact))

    def command(self, command: Command) -> None:
        return

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        return


async def _caller(channel: Samples, other: Samples | None, engines: Engines, part: Part) -> list[Timed]:
    log, answers = _Log(length_s=len(channel) / RATE_HZ), _Answers(engines=engines)
    clock = CallClock(lambda: log.now_s)
    leg = CallerLeg(
        detector=SileroDetector(engines.vad),
        transcriber=answers,
        turn_end=answers,
        ear=EarTap(engines.ear, answers, log),
        port=log,
        emit=log.emit,
        clock=clock,
        agent=AgentAudio(),
        stopwatch=Stopwatch(),
        cut=lambda turn, onset_s: None,
        guess=lambda heard: None,
        broke=_raise,
    )
    sent = _levels(other, len(channel))
    for tick, frame in _frames(channel):
        log.now_s = (tick + 1) * FRAME_S
        clock.heard(tick)
        if log.now_s > part.ear_until_s:
            leg.stop_ear()
        if log.now_s > part.end_s:
            break
        if log.now_s <= part.start_s:
            leg.sent(tick, sent[tick])
            continue
        leg.push(frame.tobytes(), tick, sent_db=sent[tick])
        await _settled()
    leg.close()
    return log.facts


async def _other(channel: Samples, engines: Engines, part: Part) -> list[Timed]:
    answers = _Answers(engines=engines)
    words = _OtherWords(length_s=len(channel) / RATE_HZ)
    listener = Listener(detector=SileroDetector(engines.vad), transcriber=answers, turn_end=answers, report=words)
    for tick, frame in _frames(channel):
        words.now_s = (tick + 1) * FRAME_S
        if words.now_s > part.end_s:
            break
        listener.push(frame.tobytes(), tick)
        await _settled()
    listener.close()
    return words.facts


@dataclass(slots=True, kw_only=True)
class _OtherWords:
    """Words of whoever speaks to the caller, as if we had said them."""

    length_s: float
    now_s: float = 0.0
    facts: list[Timed] = field(default_factory=list)

    def turn(self, ended: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        if not transcript.text:
            return
        start, end = round(ended.start_s, 3), round(min(ended.end_s, self.length_s), 3)
        rate_wpm = round(60 * len(transcript.text.split()) / max(end - start, 0.1), 1)
        said = Said(leg="caller", start=start, end=end, text=transcript.text, rate_wpm=rate_wpm)
        self.facts.append((min(self.now_s, self.length_s), said))

    def began(self, at_s: float) -> None:
        return

    def stopped(self, at_s: float) -> None:
        return

    def words(self, transcript: Transcript) -> None:
        return

    def likely(self, turn: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        return

    def broke(self, error: EngineError) -> None:
        raise error


def _frames(channel: Samples) -> list[tuple[int, npt.NDArray[np.int16]]]:
    padding = -len(channel) % FRAME + round(END_S * RATE_HZ)
    return list(enumerate(np.pad(channel, (0, padding)).astype("<i2").reshape(-1, FRAME)))


def _levels(channel: Samples | None, length: int) -> list[int]:
    """Level of what was sent in each tick [dB re full scale], as the gateway tells it."""
    sent = np.zeros(length, np.int16) if channel is None else channel
    return [max(SILENT_DB, round(level_db(frame.tobytes()))) for _, frame in _frames(sent)]


async def _settled() -> None:
    # engines answer at once: what a frame sets going has run to its end after a few turns of the loop
    for _ in range(4):
        await asyncio.sleep(0)


def _raise(error: EngineError) -> None:
    raise error
