"""Last part of the pipeline: sentences become turns of sound on the link.

Sound is sent as fast as it is made; the gateway holds it and plays it by the tick, so stopping is its business
(`ClearTurn`) and resuming is sample-exact.

Hears from: dialogue (what to say), hearing (cuts). Tells: the link; the dialogue, if synthesis fails.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections import deque
from collections.abc import AsyncGenerator

import structlog
from pipecat.frames.frames import Frame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from telephony.commands import ContinueTurn, StartTurn, UploadBriefing, UploadPrompt
from telephony.facts import Worded
from voice.conversation.callback import PROMPT, callback_sentence
from voice.conversation.commands import Say
from voice.engines.replier import Part
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.engines import Engines
from voice.pipeline.frames import Answer, Brief, Committed, Cut, EngineBroke, Prepare, Utter
from voice.pipeline.port import CallClock, CallPort
from voice.pipeline.stopwatch import Stopwatch

log = structlog.get_logger(__name__)

BRIEFING_WPM = 170.0
BRIEFING_MOST_S = 13.5
"""Target 10 s, cap 15 s; a human listens for facts, so a long one is rather spoken faster than cut."""
BRIEFING_FASTEST_WPM = 200.0
CALLBACK_WPM = 150.0
CALLBACK_MOST_S = 14.0


class SpeechProcessor(FrameProcessor):  # type: ignore[misc]
    """Voice of one call: one turn is made at a time."""

    def __init__(
        self,
        *,
        engines: Engines,
        port: CallPort,
        clock: CallClock,
        agent: AgentAudio,
        stopwatch: Stopwatch,
        next_turn: int,
        callback_window: str = "",
    ) -> None:
        super().__init__(name="speech", enable_direct_mode=True)
        self._engines, self._port, self._clock = engines, port, clock
        self._agent, self._stopwatch = agent, stopwatch
        self._next_turn = next_turn
        self._queue: deque[tuple[int, Say]] = deque()
        self._making: tuple[int, asyncio.Task[None]] | None = None
        self._guess: asyncio.Task[None] | None = None
        self._briefing: asyncio.Task[None] | None = None
        self._answering: asyncio.Task[None] | None = None
        self._callback_window, self._callback_sent = callback_window, False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case Utter(say=Say() as say):
                self._queue.append((self._next_turn, say))
                self._next_turn += 1
                self._go_on()
            case Prepare(say=say):
                self._prepare(say)
            case Cut(turn=turn):
                self._cut(turn)
            case Brief():
                if self._briefing is not None:
                    self._briefing.cancel()
                self._briefing = asyncio.get_running_loop().create_task(self._brief(frame))
            case Answer(text=text):
                self._answering = asyncio.get_running_loop().create_task(self._answer(text))
            case Committed():
                return
            case _:
                await self.push_frame(frame, direction)

    def close(self) -> None:
        self._queue.clear()
        self._prepare(None)
        if self._making is not None:
            self._making[1].cancel()
        for task in (self._briefing, self._answering):
            if task is not None:
                task.cancel()

    def _prepare(self, say: Say | None) -> None:
        """Only where nothing rewords a reply: a language model is not asked about what may never be said."""
        if self._guess is not None:
            self._guess.cancel()
        self._guess = None
        if say is not None and self._engines.replier.verbatim:
            self._guess = asyncio.get_running_loop().create_task(self._make_ahead(say))

    async def _make_ahead(self, say: Say) -> None:
        try:
            await self._engines.synthesizer.prepare(say.text, say.rate_wpm)
        except Exception as exc:  # noqa: BLE001 - nobody was promised this; when it is said for real, it is reported
            log.warning("nothing made ahead", why=type(exc).__name__)

    def _cut(self, turn: int) -> None:
        """What is being made up to ``turn`` is dropped, and what waits unmade behind it: it answered the same turn."""
        self._queue = deque((n, say) for n, say in self._queue if say.keep)
        if self._making is not None and self._making[0] <= turn:
            self._making[1].cancel()
            self._making = None
        self._go_on()

    def _go_on(self) -> None:
        if self._making is None and self._queue:
            number, say = self._queue.popleft()
            self._making = (number, asyncio.get_running_loop().create_task(self._speak(number, say)))

    async def _speak(self, turn: int, say: Say) -> None:
        sample = 0
        try:
            async with contextlib.aclosing(self._parts(turn, say)) as parts:
                said = ""
                async for text in parts:
                    sample = await self._sound(turn, text, say, sample, after=said)
                    said = text
            if sample:
                self._send(turn, sample, b"", last=True)
        except asyncio.CancelledError:
            raise
        except Exception as exc:  # noqa: BLE001 - whatever the voice raises: the caller must not be left in silence
            log.error("engine failed", engine="synthesis", why=type(exc).__name__)
            if sample:
                self._send(turn, sample, b"", last=True)
            broke = EngineBroke(engine="synthesis", why=type(exc).__name__)
            await self.push_frame(broke, FrameDirection.UPSTREAM)
        if self._making is not None and self._making[0] == turn:
            self._making = None
        self._go_on()

    async def _parts(self, turn: int, say: Say) -> AsyncGenerator[str]:
        """What the turn consists of; with a language model sentence by sentence, while it is still writing."""
        if say.keep or say.as_is or self._engines.replier.verbatim:
            # What must be heard word for word (the crisis number) is nobody's to reword.
            yield say.text
            return
        sentences, part = 0, Part(text="")
        async with contextlib.aclosing(self._engines.replier.word(say.text, say.rate_wpm)) as parts:
            async for part in parts:
                sentences += part.of_model
                yield part.text
        # The guard's reasons end in the word it found: that may be a caller's.
        self._port.emit(Worded(turn=turn, sentences=sentences, why=part.why.split(":")[0]))

    async def _sound(self, turn: int, text: str, say: Say, sample: int, *, after: str) -> int:
        """Makes and sends ``text`` as the turn's next sound; returns the samples sent of it in all."""
        ready, begun = self._engines.synthesizer.ready(text, say.rate_wpm), False
        async for chunk in self._engines.synthesizer.stream(text, say.rate_wpm, after=after):
            if not sample:
                self._begin(turn, text, say, ready=ready)
            elif not begun:
                self._port.command(ContinueTurn(turn=turn, text=text, sample=sample))
            begun = True
            sample = self._send(turn, sample, chunk, last=False)
        return sample

    def _begin(self, turn: int, text: str, say: Say, *, ready: bool) -> None:
        now_s = self._clock.now_s()
        self._port.command(StartTurn(turn=turn, text=text, rate_wpm=say.rate_wpm, keep=say.keep))
        # Of what is yet to be reworded the length is that of the dialogue's own words.
        self._agent.start(turn=turn, text=say.text, rate_wpm=say.rate_wpm, keep=say.keep, now_s=now_s)
        self._stopwatch.first_sound(turn, now_s, ready=ready)

    def _send(self, turn: int, sample: int, pcm: bytes, *, last: bool) -> int:
        self._agent.sound(pcm, last=last)
        self._port.audio(turn=turn, sample=sample, pcm=pcm, last=last)
        return sample + len(pcm) // 2

    async def _brief(self, frame: Brief) -> None:
        await self._read_number_back(frame)
        try:
            pcm = await self._engines.synthesizer.render_within(
                frame.text, BRIEFING_WPM, most_s=BRIEFING_MOST_S, fastest_wpm=BRIEFING_FASTEST_WPM
            )
        except Exception as exc:  # noqa: BLE001 - the gateway has a prompt for a briefing that is missing
            log.error("engine failed", engine="synthesis", why=type(exc).__name__)
            return
        encoded = base64.b64encode(pcm).decode()
        self._port.command(UploadBriefing(pcm_base64=encoded, text=frame.text, fields=frame.fields))

    async def _answer(self, text: str) -> None:
        """What the human asked for; without its sound the briefing or the wait goes on."""
        try:
            pcm = await self._engines.synthesizer.render(text, BRIEFING_WPM)
        except Exception as exc:  # noqa: BLE001 - the human can still ask for the whole briefing again
            log.error("engine failed", engine="synthesis", why=type(exc).__name__)
            return
        self._port.command(UploadPrompt(name="answer", pcm_base64=base64.b64encode(pcm).decode(), text=text))

    async def _read_number_back(self, frame: Brief) -> None:
        """Before the briefing: with nobody to ring it is due at once, the briefing not before a phone was answered."""
        who = frame.fields.get("who", {})
        text = callback_sentence(str(who.get("number", "")), self._callback_window) if isinstance(who, dict) else ""
        if self._callback_sent or not text or not self._callback_window:
            return
        try:
            pcm = await self._engines.synthesizer.render_within(
                text, CALLBACK_WPM, most_s=CALLBACK_MOST_S, fastest_wpm=BRIEFING_FASTEST_WPM
            )
        except Exception as exc:  # noqa: BLE001 - the gateway has a prompt without the number
            log.error("engine failed", engine="synthesis", why=type(exc).__name__)
            return
        self._callback_sent = True
        encoded = base64.b64encode(pcm).decode()
        self._port.command(UploadPrompt(name=PROMPT, pcm_base64=encoded, text=text))
