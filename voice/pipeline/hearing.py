"""First part of the pipeline: what the caller says and how; whether the agent may go on speaking.

Hears nothing before the disclosure and nothing after the bridge. The human's leg passes only while asked for, only
its words, and never the ear.

Hears from: the link (sound, committed facts). Tells: the log (facts), the link (pause, cut), speech (cut).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import structlog
from pipecat.frames.frames import Frame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from telephony.commands import ClearTurn, PauseTurn
from telephony.facts import (
    ConsentChanged,
    Disclosed,
    DistressChanged,
    Fact,
    HandoffState,
    LegsBridged,
    Said,
    SpeechStarted,
    SpeechStopped,
)
from telephony.messages import Stamped
from voice.conversation.bargein import Action, AskWords, BargeIn, Commit, EchoReference, Pause, Resume
from voice.conversation.endpointing import TurnEnded
from voice.engines.transcription import Transcript
from voice.engines.vad import WINDOW_S, SileroDetector, Window
from voice.errors import EngineError
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.engines import Engines
from voice.pipeline.frames import Committed, Cut, EngineBroke, Expect, HumanListening, LegAudio
from voice.pipeline.human_leg import HumanLeg
from voice.pipeline.listener import Listener
from voice.pipeline.port import CallClock, CallPort
from voice.pipeline.stopwatch import Stopwatch
from voice.pipeline.words import transcribed

if TYPE_CHECKING:
    from voice.pipeline.ear_tap import EarTap

log = structlog.get_logger(__name__)

_WORTH_ASKING_S = 0.5
"""Speech this long that was not understood is worth "could you say that again"."""


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
        self._agent, self._stopwatch = agent, stopwatch
        self._bargein = BargeIn()
        self._echo = EchoReference()
        self._hears = False
        self._speaking = False
        self._bridged = False
        self._level = "calm"
        self._ear = _ear(engines, port) if analyse_emotion else None
        self._caller = Listener(
            detector=SileroDetector(engines.vad),
            transcriber=engines.transcriber,
            turn_end=engines.turn_end,
            report=self,
            masked=self._is_echo,
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
                self._caller.endpointing.expectation = frame.expectation
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
                    self._level = level

    def close(self) -> None:
        self._caller.close()
        self._listen_to_human(False)
        for task in self._tasks:
            task.cancel()
        if self._ear is not None:
            self._ear.stop()

    # --- sound ----------------------------------------------------------------------------------

    def _caller_sound(self, frame: LegAudio) -> None:
        self._clock.heard(frame.tick)
        now_s = self._clock.now_s()
        self._echo.sent(now_s, self._agent.level_db(now_s))
        if not self._hears or self._bridged:
            return
        saying = self._agent.current(now_s)
        if saying is None:
            self._weigh(self._bargein.agent_silent())
        elif self._speaking and not self._bargein.deciding:
            # The reply comes while the caller is speaking again: it waits, and is dropped if there are words.
            self._weigh(self._bargein.onset(at_s=now_s, agent=saying))
        for window, speech in self._caller.push(frame.pcm, frame.tick):
            self._weigh(self._bargein.window(end_s=window.end_s, speech=speech, window_s=WINDOW_S))
            if self._ear is not None:
                samples, start_s = self._caller.sound(window.start_s, window.end_s)
                self._ear.push(samples, start_s=start_s, speech=speech, lost=frame.lost)

    def _is_echo(self, window: Window) -> bool:
        return window.speech and self._echo.masks(window.end_s, window.level_db)

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
                self._hears = True
            case ConsentChanged(purpose="emotion", allowed=False):
                if self._ear is not None:
                    self._ear.stop()
                self._ear = None
            case LegsBridged():
                self._bridged = True
                self.close()
                self._ear = None
            case HandoffState(state="IDLE"):
                # The human dropped at once: the caller is the agent's again, for words only.
                self._bridged = False
            case Said(turn=turn) as said if turn:
                self._agent.ended(turn)
                if (timed := self._stopwatch.said(said)) is not None:
                    self._port.emit(timed)
            case DistressChanged(level=level):
                rose = _RANK[level] > _RANK[self._level]
                self._level = level
                if rose:
                    self._weigh(self._bargein.distress_rose(now_s=self._clock.now_s()))

    def _emit(self, fact: Fact) -> None:
        if not self._bridged:
            self._port.emit(fact)

    def broke(self, error: EngineError) -> None:
        log.error("engine failed", engine=error.engine, why=str(error))
        self._spawn(self.push_frame(EngineBroke(engine=error.engine, why=str(error))))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the caller, as the listener reports it --------------------------------------------------

    def began(self, at_s: float) -> None:
        self._speaking = True
        self._emit(SpeechStarted(leg="caller", at=at_s))
        self._stopwatch.caller_began()
        self._weigh(self._bargein.onset(at_s=at_s, agent=self._agent.current(self._clock.now_s())))

    def stopped(self, at_s: float) -> None:
        self._speaking = False
        self._emit(SpeechStopped(leg="caller", at=at_s))
        self._weigh(self._bargein.stopped(now_s=self._clock.now_s()))

    def words(self, transcript: Transcript) -> None:
        self._weigh(self._bargein.heard(transcript.text, now_s=self._clock.now_s()))

    def turn(self, ended: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        if self._ear is not None:
            self._ear.turn_ended()
        listening_only = self._bargein.listening_only
        self._bargein.listening_only = False
        unsure = transcript.rejected == "unsure" and ended.end_s - ended.start_s >= _WORTH_ASKING_S
        if not transcript.text and not unsure:
            return
        if not listening_only:
            self._drop_unsaid()
            self._stopwatch.turn_ended(speech_end_s=ended.end_s, waited_s=ended.waited_s, now_s=self._clock.now_s())
        self._emit(transcribed("caller", ended, transcript, offset_s, final=not listening_only))

    def _drop_unsaid(self) -> None:
        """What waited behind a sentence of the gateway is an answer to nothing any more: the caller has gone on."""
        if (turn := self._agent.unsaid()) is not None:
            self._port.command(ClearTurn(turn=turn))
            self._agent.cut(turn)
            self._spawn(self.push_frame(Cut(turn=turn)))

    # --- interruptions ---------------------------------------------------------------------------

    def _weigh(self, actions: Sequence[Action]) -> None:
        for action in actions:
            now_s = self._clock.now_s()
            match action:
                case Pause():
                    self._agent.pause(True, now_s)
                    self._port.command(PauseTurn(on=True))
                case Resume():
                    self._agent.pause(False, now_s)
                    self._port.command(PauseTurn(on=False))
                case Commit(turn=turn, onset_s=onset_s):
                    self._port.command(ClearTurn(turn=turn, onset=onset_s))
                    self._port.command(PauseTurn(on=False))
                    self._agent.cut(turn)
                    self._spawn(self.push_frame(Cut(turn=turn, onset_s=onset_s)))
                case AskWords(start_s=start_s, end_s=end_s):
                    self._spawn(self._ask_words(start_s, end_s))

    async def _ask_words(self, start_s: float, end_s: float) -> None:
        samples, _ = self._caller.sound(start_s - 0.2, end_s)
        try:
            transcript = await self._engines.transcriber.transcribe(samples)
        except Exception:  # noqa: BLE001 - length of speech decides instead; the turn's own recognition will report it
            return
        # Half a second into a word the recogniser often hears nothing: only a text is news.
        if transcript.text:
            self._weigh(self._bargein.heard(transcript.text, now_s=self._clock.now_s()))


def _ear(engines: Engines, port: CallPort) -> EarTap | None:
    # Only where it is wanted: it brings scipy.signal, 1.6 s of import.
    from voice.pipeline.ear_tap import EarTap

    return EarTap(engines.ear, engines.pool, port) if engines.ear is not None else None


_RANK = {"calm": 0, "attend": 1, "distress": 2}
