"""One caller's leg on a clock of its own: the code of a live call, as fast as the models run, the same every time.

`voice.pipeline.caller_leg` hears 20 ms at a time and everything it starts (voice activity, recognition, smart-turn)
is real; a model's answer arrives as much later, on that clock, as it takes on a quiet machine. The gateway is its
playout.

Hears from: `voice.evaluation.turns`. Tells: the same, what was decided when.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telephony.commands import ClearTurn, Command, PauseTurn
from telephony.facts import Decision, Fact, Said
from telephony.link_codec import FRAME_S, RATE_HZ, SILENT_DB
from telephony.media.pcm import SILENCE, level_db
from telephony.playout import Playout
from voice.conversation.patience import Expectation
from voice.engines.stop_words import StopWord
from voice.engines.transcription import Transcript, WhisperTranscriber
from voice.engines.turn_end import SmartTurn
from voice.engines.vad import SileroDetector, SileroModel
from voice.errors import EngineError
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.caller_leg import CallerLeg
from voice.pipeline.port import CallClock
from voice.pipeline.stopwatch import Stopwatch

RECOGNITION_S, TURN_END_S = 0.12, 0.08
"""What a recognition of 3 s and a verdict of smart-turn take at one call on two cores (research: 0.14 and 0.07 s of
CPU; half of the first overlaps with the second)."""
STOP_WORD_S = 0.3
"""Twenty-four words held against two beginnings of half a second of sound."""
FRAME = round(FRAME_S * RATE_HZ)
_NOISE_DB = -65.0
"""An open line is never digital silence."""


class VirtualClock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_s + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Lets everything run that is due by then."""
        self.now_s += seconds
        while self._sleepers and self._sleepers[0][0] <= self.now_s + 1e-9:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await _settled()
        await _settled()


async def _settled() -> None:
    # A task that waits for nothing but the clock has run to its next wait after a few turns of the loop.
    for _ in range(4):
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Loaded once for all lines."""

    vad: SileroModel
    transcriber: WhisperTranscriber
    turn_end: SmartTurn


@dataclass(slots=True, kw_only=True)
class _Timed:
    """The models, answering after their time. A question withdrawn before then was not worth computing."""

    models: Models
    clock: VirtualClock

    async def transcribe(self, samples: NDArray[np.float32], expects: str | None = None) -> Transcript:
        await self.clock.sleep(RECOGNITION_S)
        return self.models.transcriber.recognise(samples, expects=expects)

    async def stop_word(self, samples: NDArray[np.float32]) -> StopWord:
        await self.clock.sleep(STOP_WORD_S)
        return self.models.transcriber.judge_stop(samples)

    async def p_complete(self, samples: NDArray[np.float32], *, due: bool = False) -> float:
        await self.clock.sleep(TURN_END_S)
        return self.models.turn_end.judge(samples)


class Line:
    """A caller, an agent's turn if there is one, and what became of both."""

    def __init__(self, models: Models, expectation: Expectation | None = None) -> None:
        self.facts: list[tuple[float, Fact]] = []
        self.commands: list[tuple[float, Command]] = []
        self.sent: list[bytes] = []
        """Every frame that went to the caller."""
        self.said: list[Said] = []
        self.playout = Playout()
        self._tick = 0
        self.clock = VirtualClock()
        timed = _Timed(models=models, clock=self.clock)
        self._call_clock, self._agent = CallClock(lambda: self.clock.now_s), AgentAudio()
        self._noise = np.random.default_rng(0)
        self.leg = CallerLeg(
            detector=SileroDetector(models.vad),
            transcriber=timed,
            turn_end=timed,
            ear=None,
            port=self,
            emit=self.emit,
            clock=self._call_clock,
            agent=self._agent,
            stopwatch=Stopwatch(),
            cut=lambda turn, onset_s: None,
            guess=lambda heard: None,
            broke=self._broke,
        )
        self.leg.expect(expectation or Expectation())

    # --- the port of the leg ------------------------------------------------------------------------

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        self.facts.append((self.clock.now_s, fact))

    def command(self, command: Command) -> None:
        self.commands.append((self.clock.now_s, command))
        match command:
            case ClearTurn(turn=turn):
                self.playout.cut_turns(self._tick, up_to=turn)
            case PauseTurn(on=on):
                self.playout.pause(on)

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        """Turns are given by `say`."""

    def _broke(self, error: EngineError) -> None:
        raise error

    # --- what an evaluation does --------------------------------------------------------------------

    def say(self, turn: int, text: str, pcm: bytes, *, rate_wpm: float = 165.0) -> None:
        """The agent's turn: all of its sound is there at once."""
        self.playout.start_turn(turn, text, rate_wpm)
        self.playout.feed(turn, pcm, last=True)
        self._agent.start(turn=turn, text=text, rate_wpm=rate_wpm, keep=False, now_s=self.clock.now_s)
        self._agent.sound(pcm, last=True)

    async def hear(self, samples: NDArray[np.float32], *, echo_db: float | None = None, echo_s: float = 0.12) -> None:
        """The caller's sound; ``echo_db`` adds what was sent ``echo_s`` before, that much quieter."""
        frames = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
        for frame in frames:
            sent = self.playout.frame(self._tick) or SILENCE
            self.sent.append(sent)
            heard = frame + 10 ** (_NOISE_DB / 20) * self._noise.standard_normal(FRAME)
            late = len(self.sent) - 1 - round(echo_s / FRAME_S)
            if echo_db is not None and late >= 0:
                heard = heard + 10 ** (echo_db / 20) * np.frombuffer(self.sent[late], "<i2") / 32768
            pcm = np.clip(heard * 32767, -32768, 32767).astype("<i2").tobytes()
            await self.clock.advance(FRAME_S)
            self._call_clock.heard(self._tick)
            self.leg.push(pcm, self._tick, sent_db=max(SILENT_DB, round(level_db(sent))))
            self._tick += 1
            ended, self.playout.ended = self.playout.ended, []
            for item in ended:
                start = item.end_tick if item.start_tick is None else item.start_tick
                said = Said(leg="caller", start=start * FRAME_S, end=item.end_tick * FRAME_S, text=item.text,
                            rate_wpm=item.rate_wpm, turn=item.turn, cut=item.cut)  # fmt: skip
                self.said.append(said)
                self.leg.said(said)

    @property
    def now_s(self) -> float:
        return self.clock.now_s
