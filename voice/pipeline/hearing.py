"""First part of the pipeline: what the caller says and how; whether the agent may go on speaking.

Hears nothing before the disclosure and nothing after the bridge. The human's leg passes only while asked for, only
its words, and never the ear.

Hears from: the link (sound, committed facts). Tells: the log (facts), the link (pause, cut), speech (cut).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import structlog
from pipecat.frames.frames import Frame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from telephony.facts import (
    ConsentChanged,
    Disclosed,
    DistressChanged,
    Fact,
    HandoffState,
    LegsBridged,
    Said,
    Transcribed,
)
from telephony.link_codec import FRAME_S
from telephony.messages import Stamped
from voice.engines.vad import SileroDetector
from voice.errors import EngineError
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.caller_leg import CallerLeg
from voice.pipeline.engines import Engines
from voice.pipeline.frames import Committed, Cut, EngineBroke, Expect, HumanListening, LegAudio, Likely
from voice.pipeline.human_leg import HumanLeg
from voice.pipeline.port import CallClock, CallPort
from voice.pipeline.stopwatch import Stopwatch

if TYPE_CHECKING:
    from voice.pipeline.ear_tap import EarTap

log = structlog.get_logger(__name__)


class HearingProcessor(FrameProcessor):  # type: ignore[misc]
    """Hearing of one call."""

    def __init__(
        self,
        *,
        engines: Engines,
        port: CallPort,
        clock: CallClock,
        agent: AgentAudio,
        stopwatch: Stopwatch,
        analyse_emotion: bool,
    ) -> None:
        super().__init__(name="hearing", enable_direct_mode=True)
        self._engines, self._port, self._clock = engines, port, clock
        self._hears_from_s = math.inf
        self._bridged = False
        self._caller = CallerLeg(
            detector=SileroDetector(engines.vad),
            transcriber=engines.transcriber,
            turn_end=engines.turn_end,
            ear=_ear(engines, port) if analyse_emotion else None,
            port=port,
            emit=self._emit,
            clock=clock,
            agent=agent,
            stopwatch=stopwatch,
            cut=self._cut,
            guess=self._guess,
            broke=self.broke,
            captioner=engines.captioner,
            crowded=lambda: engines.pool.crowded,
        )
        self._human: HumanLeg | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case LegAudio(leg="human"):
                if self._human is not None:
                    self._human.push(frame.pcm, frame.tick)
                return
            case LegAudio():
                self._caller_sound(frame)
            case Expect():
                self._caller.expect(frame.expectation)
                return
            case HumanListening():
                self._listen_to_human(frame.on)
                return
            case Committed():
                self._committed(frame)
        await self.push_frame(frame, direction)

    def restore(self, log: Sequence[Stamped]) -> None:
        """What a call that another worker began has settled already."""
        for stamped in log:
            match stamped.fact:
                case Disclosed() | ConsentChanged() | LegsBridged() | HandoffState():
                    self._committed(Committed(stamped=stamped))
                case DistressChanged(level=level):
                    self._caller.distress(level, weigh=False)

    def close(self) -> None:
        self._caller.close()
        self._listen_to_human(False)
        for task in self._tasks:
            task.cancel()

    # --- sound ----------------------------------------------------------------------------------

    def _caller_sound(self, frame: LegAudio) -> None:
        self._clock.heard(frame.tick)
        # by call time, not by arrival: what waited in the jitter buffer belongs to the time before, and a recording
        # can then be heard from the very same sample
        if round(frame.tick * FRAME_S, 3) >= self._hears_from_s and not self._bridged:
            self._caller.push(frame.pcm, frame.tick, lost=frame.lost, sent_db=frame.sent_db)
        else:
            self._caller.sent(frame.tick, frame.sent_db)

    def _listen_to_human(self, on: bool) -> None:
        if self._human is not None:
            self._human.close()
        self._human = None
        if on and not self._bridged:
            self._human = HumanLeg(
                vad=self._engines.vad, transcriber=self._engines.transcriber, emit=self._emit, broke=self.broke
            )

    # --- facts ----------------------------------------------------------------------------------

    def _committed(self, frame: Committed) -> None:
        assert frame.stamped is not None
        self._clock.reached(frame.stamped.t)
        match frame.stamped.fact:
            case Disclosed():
                self._hears_from_s = min(self._hears_from_s, frame.stamped.t)
            case ConsentChanged(purpose="emotion", allowed=False):
                self._caller.stop_ear()
            case LegsBridged():
                self._bridged = True
                self.close()
            case HandoffState(state="IDLE"):
                # The human dropped at once: the caller is the agent's again, for words only.
                self._bridged = False
            case Said(turn=turn) as said if turn:
                self._caller.said(said)
            case DistressChanged(level=level):
                self._caller.distress(level)

    def _emit(self, fact: Fact) -> None:
        if not self._bridged:
            self._port.emit(fact)

    def broke(self, error: EngineError) -> None:
        log.error("engine failed", engine=error.engine, why=str(error))
        self._spawn(self.push_frame(EngineBroke(engine=error.engine, why=str(error))))

    def _guess(self, heard: Transcribed | None) -> None:
        self._spawn(self.push_frame(Likely(heard=heard)))

    def _cut(self, turn: int, onset_s: float | None) -> None:
        self._spawn(self.push_frame(Cut(turn=turn, onset_s=onset_s)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ear(engines: Engines, port: CallPort) -> EarTap | None:
    # Only where it is wanted: it brings scipy.signal, 1.6 s of import.
    from voice.pipeline.ear_tap import EarTap

    return EarTap(engines.ear, engines.pool, port) if engines.ear is not None else None
