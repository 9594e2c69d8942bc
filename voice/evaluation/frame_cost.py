"""``python -m voice.evaluation.frame_cost [--report docs]``: what 20 ms of a caller's sound cost; pipecat's share.

Processor time of the event loop's thread, on line noise: nothing is recognised or said, so what is left is the way of
a frame. `pipecat` alone is measured with processors that only pass on, as many as a caller's frame meets in ours: as
pipecat sets itself up, without observers and queues between processors, and entered at the first processor.

Hears from: nothing. Tells: the terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from pipecat.frames.frames import Frame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from telephony.commands import Command
from telephony.facts import CallAnswered, Decision, Disclosed, Fact
from telephony.link_codec import FRAME_S, RATE_HZ
from telephony.messages import Stamped
from telephony.settings import Settings, Store
from voice import playbooks
from voice.pipeline.call import CallPipeline
from voice.pipeline.engines import load_engines
from voice.pipeline.frames import LegAudio

FRAMES = 5000
"""100 s of a call."""
HOPS = 2
"""Processors that a caller's frame passes: hearing, dialogue."""
FRAME = round(FRAME_S * RATE_HZ)
NOISE_DB = -60.0

Push = Callable[[LegAudio], Awaitable[None]]


class _Pass(FrameProcessor):  # type: ignore[misc]
    """Passes on."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


class _Last(FrameProcessor):  # type: ignore[misc]
    """Keeps a caller's frames, as the dialogue does; ``through``: `FRAMES` have come."""

    def __init__(self, *, direct: bool) -> None:
        super().__init__(enable_direct_mode=direct)
        self.through = asyncio.Event()
        self._seen = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LegAudio):
            self._seen += 1
            if self._seen == FRAMES:
                self.through.set()
        else:
            await self.push_frame(frame, direction)


class _Nowhere:
    """A port that counts nothing and keeps nothing."""

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        return

    def command(self, command: Command) -> None:
        return

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None:
        return


def noise(frames: int, seed: int = 0) -> list[bytes]:
    """Line noise, 16-bit, 20 ms each."""
    rng = np.random.default_rng(seed)
    samples = 32768 * 10 ** (NOISE_DB / 20) * rng.standard_normal(frames * FRAME)
    return [part.tobytes() for part in np.split(samples.astype("<i2"), frames)]


async def passing(*, direct: bool, observed: bool, straight: bool) -> float:
    """Microseconds of processor time a frame through pipecat alone.

    Args:
        direct: No queue and task of its own for each processor.
        observed: Turn tracking and RTVI, as pipecat has them by itself.
        straight: Handed to the first processor, not to the worker's queue.
    """
    first, last = _Pass(enable_direct_mode=direct), _Last(direct=direct)
    between = [_Pass(enable_direct_mode=direct) for _ in range(HOPS - 2)]
    worker = PipelineWorker(
        Pipeline([first, *between, last]),
        params=PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ),
        idle_timeout_secs=None,
        enable_rtvi=observed,
        enable_turn_tracking=observed,
    )
    started = asyncio.Event()

    async def on_started(_worker: object, _frame: Frame) -> None:
        started.set()

    worker.add_event_handler("on_pipeline_started", on_started)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await started.wait()

    async def push(frame: LegAudio) -> None:
        await (first if straight else worker).queue_frame(frame, FrameDirection.DOWNSTREAM)

    took_us = await _per_frame(push, last.through)
    await worker.cancel()
    await running
    return took_us


async def whole(store: Path) -> float:
    """The same through a call's own pipeline: voice activity, end of turn, echo, the ear's intake, deadlines."""
    settings = Settings(store=Store(dir=store))
    engines = await load_engines(settings)
    pipeline = CallPipeline(
        settings=settings, playbook=playbooks.load(settings.agent.playbook), engines=engines, port=_Nowhere()
    )
    answered = CallAnswered(from_="sip:caller@127.0.0.1", to="sip:agent@127.0.0.1", codec="PCMU", at="")
    heard = Disclosed(text="", start=0.0, end=0.0)
    await pipeline.start([Stamped(0, 0.0, answered), Stamped(1, 0.0, heard)])

    async def push(frame: LegAudio) -> None:
        await pipeline.sound(leg="caller", tick=frame.tick, pcm=frame.pcm, lost=False)

    took_us = await _per_frame(push)
    await pipeline.close()
    await asyncio.to_thread(engines.pool.close)
    return took_us


async def _per_frame(push: Push, through: asyncio.Event | None = None) -> float:
    """Microseconds a frame, until ``through``; None: a frame is through when it is pushed."""
    frames = noise(FRAMES)
    began = time.thread_time()
    for tick, pcm in enumerate(frames):
        await push(LegAudio(tick=tick, pcm=pcm))
        # A call's frames come one at a time: what one has set off is done before the next.
        await asyncio.sleep(0)
    if through is not None:
        await through.wait()
    return 1e6 * (time.thread_time() - began) / FRAMES


async def _main(report: Path | None) -> None:
    rows = [
        ("pipecat as it sets itself up", await passing(direct=False, observed=True, straight=False)),
        ("pipecat without observers and queues", await passing(direct=True, observed=False, straight=False)),
        ("pipecat, entered at the first processor", await passing(direct=True, observed=False, straight=True)),
    ]
    with tempfile.TemporaryDirectory(prefix="warmline-frames-") as folder:
        rows.append(("a call's pipeline, all of it", await whole(Path(folder))))
    for name, took_us in rows:
        print(f"{took_us:7.1f} µs a frame of 20 ms  {took_us / (1e4 * FRAME_S):5.2f} % of a core a call  {name}")
    if report is not None:
        text = json.dumps([(name, round(took_us, 1)) for name, took_us in rows], indent=1)
        (report / "benchmarks" / "frame-cost.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m voice.evaluation.frame_cost")
    parser.add_argument("--report", type=Path, help="folder of the benchmarks' pages, for the next latency.md")
    asyncio.run(_main(parser.parse_args().report))
