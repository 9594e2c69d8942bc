"""One call's pipeline: hearing, dialogue, speech; pipecat runs it.

Per-frame cost is kept low: no observers, no turn tracking, direct mode, and frames go straight to the first processor:
12 µs of pipecat a frame instead of 102 (`voice.evaluation.frame_cost`).

Hears from: `voice.worker`. Tells: a `CallPort`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from pipecat.frames.frames import Frame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection
from pipecat.workers.runner import WorkerRunner

from telephony.facts import Leg
from telephony.link_codec import RATE_HZ, SILENT_DB
from telephony.messages import Stamped
from telephony.settings import Settings
from voice.conversation.call import Conversation
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.dialogue import DialogueProcessor
from voice.pipeline.engines import Engines
from voice.pipeline.frames import Committed, HumanListening, LegAudio
from voice.pipeline.hearing import HearingProcessor
from voice.pipeline.memory import MemoryKeeper
from voice.pipeline.port import CallClock, CallPort
from voice.pipeline.speaking import SpeechProcessor
from voice.pipeline.stopwatch import Stopwatch
from voice.playbooks import Playbook
from voice.playbooks.incidents import Incident
from voice.store.memory import Memories

_STARTS_WITHIN_S = 5.0


class CallPipeline:
    """The agent in one call. Construct, `start`, feed, `close`."""

    def __init__(
        self,
        *,
        settings: Settings,
        playbook: Playbook,
        engines: Engines,
        port: CallPort,
        next_turn: int = 1,
        memories: Memories | None = None,
        incidents: Sequence[Incident] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        clock, agent, stopwatch = CallClock(monotonic), AgentAudio(), Stopwatch()
        self._memory = MemoryKeeper(memories, port) if memories is not None else None
        conversation = Conversation(settings, playbook, engines.voice_detector(settings), incidents)
        self._hearing = HearingProcessor(
            engines=engines,
            port=port,
            clock=clock,
            agent=agent,
            stopwatch=stopwatch,
            analyse_emotion=settings.privacy.analyse_emotion,
        )
        self._dialogue = DialogueProcessor(
            conversation=conversation, port=port, clock=clock, agent=agent, stopwatch=stopwatch, chooser=engines.chooser
        )
        self._speech = SpeechProcessor(
            engines=engines,
            port=port,
            clock=clock,
            agent=agent,
            stopwatch=stopwatch,
            next_turn=next_turn,
            callback_window=settings.humans.callback_window,
        )
        pipeline = Pipeline([self._hearing, self._dialogue, self._speech])
        self._worker = PipelineWorker(
            pipeline,
            params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ),
            # Pipecat cancels a pipeline after 300 s without speech; a caller on hold may wait longer.
            idle_timeout_secs=None,
            enable_rtvi=False,
            enable_turn_tracking=False,
        )
        self._started = asyncio.Event()
        self._run: asyncio.Task[None] | None = None

    async def start(self, log: Sequence[Stamped] = (), *, resumed: bool = False) -> None:
        """Begins to hear and speak. ``log``: what the call has committed so far."""

        async def on_started(_worker: object, _frame: Frame) -> None:
            self._started.set()

        self._worker.add_event_handler("on_pipeline_started", on_started)
        # A runner of its own: a runner keeps every worker it ever ran.
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self._worker)
        self._run = asyncio.get_running_loop().create_task(runner.run())
        async with asyncio.timeout(_STARTS_WITHIN_S):
            await self._started.wait()
        if resumed:
            self._dialogue.restore(log)
            self._hearing.restore(log)
            if self._memory is not None:
                self._memory.restore(log)
            await self._dialogue.resume(log[-1].t if log else 0.0)
        else:
            for stamped in log:
                await self.fact(stamped)

    async def sound(self, *, leg: Leg, tick: int, pcm: bytes, lost: bool, sent_db: int = SILENT_DB) -> None:
        await self._enter(LegAudio(leg=leg, tick=tick, pcm=pcm, lost=lost, sent_db=sent_db))

    async def fact(self, stamped: Stamped) -> None:
        if self._memory is not None:
            self._memory.committed(stamped)
        await self._enter(Committed(stamped=stamped))

    async def listen_to_human(self, on: bool) -> None:
        await self._enter(HumanListening(on=on))

    async def _enter(self, frame: Frame) -> None:
        """Nothing behind it waits for anything, so neither does the link that brings every call's frames."""
        await self._hearing.queue_frame(frame, FrameDirection.DOWNSTREAM)

    async def close(self) -> None:
        """Stops everything of this call."""
        self._hearing.close()
        self._dialogue.close()
        self._speech.close()
        if self._memory is not None:
            await self._memory.settled()
        await self._worker.cancel()
        if self._run is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._run
