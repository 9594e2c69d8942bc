"""The caller's leg: what is said, how, and whether the agent may go on speaking over it.

Free of pipecat, so that ``warmline eval turns`` drives the very same object on a clock of its own.

Hears from: `voice.pipeline.hearing` (sound, what was played, how upset the caller is). Tells: the log (facts), the
link (pause, cut), through ``cut`` the speech, through ``guess`` the dialogue: a turn that is probably over, or is not.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telephony.commands import ClearTurn, PauseTurn
from telephony.facts import Fact, Said, SpeechStarted, SpeechStopped, Transcribed
from telephony.link_codec import FRAME_S, SILENT_DB
from voice.conversation.bargein import (
    SUSTAINED_S,
    Action,
    AskStop,
    AskWords,
    BargeIn,
    Commit,
    Pause,
    Resume,
)
from voice.conversation.endpointing import PREROLL_S, TurnEnded
from voice.conversation.interjections import means_stop
from voice.conversation.patience import Expectation
from voice.conversation.whose import EchoReference, NearGate, NoiseFloor
from voice.engines.stop_words import BEFORE_S
from voice.engines.transcription import Captioner, Transcriber, Transcript
from voice.engines.turn_end import TurnEnd
from voice.engines.vad import WINDOW_S, SpeechDetector, Window
from voice.engines.word_shares import proportional_words
from voice.errors import EngineError
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.captions import Captions
from voice.pipeline.listener import Listener
from voice.pipeline.port import CallClock, CallPort
from voice.pipeline.stopwatch import Stopwatch
from voice.pipeline.words import transcribed

if TYPE_CHECKING:
    from voice.pipeline.ear_tap import EarTap

_WORTH_ASKING_S = 0.5
"""Speech this long that was not understood is worth "could you say that again"."""
_SURE_LOG_PROB = -0.5
"""Mean log probability of words that may end the agent's turn by themselves: read sentences on a phone line lie above
it but for accented ones' last quarter, synthetic back-channels taken for other words below."""
_RANK = {"calm": 0, "attend": 1, "distress": 2}


class CallerLeg:
    """Words of the caller, and interruptions."""

    def __init__(
        self,
        *,
        detector: SpeechDetector,
        transcriber: Transcriber,
        turn_end: TurnEnd,
        ear: EarTap | None,
        port: CallPort,
        emit: Callable[[Fact], None],
        clock: CallClock,
        agent: AgentAudio,
        stopwatch: Stopwatch,
        cut: Callable[[int, float | None], None],
        guess: Callable[[Transcribed | None], None],
        broke: Callable[[EngineError], None],
        captioner: Captioner | None = None,
        crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self.broke = broke
        self._port, self._emit, self._cut, self._guess = port, emit, cut, guess
        self._clock, self._agent, self._stopwatch = clock, agent, stopwatch
        self._ear, self._transcriber = ear, transcriber
        self._bargein, self._echo, self._near, self._floor = BargeIn(), EchoReference(), NearGate(), NoiseFloor()
        self._speaking = False
        self._hidden, self._stood_out = False, False
        """Whether the last speech may be the line's noise, and whether the present turn is more than that."""
        self._level = "calm"
        self._listener = Listener(
            detector=detector,
            transcriber=transcriber,
            turn_end=turn_end,
            report=self,
            masked=self._is_foreign,
            crowded=crowded,
        )
        self._captions = Captions(captioner, self._listener.sound, emit) if captioner is not None else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop_word = ""
        """What the present turn began with, where only its sound told so."""
        self._unjudged: list[tuple[TurnEnded, Transcript, float]] = []
        """Turns that are over before it is known whether they were any."""

    def expect(self, expectation: Expectation) -> None:
        """What the dialogue has asked for."""
        self._listener.endpointing.expectation = expectation

    def sent(self, tick: int, sent_db: int) -> None:
        """Level of what the gateway last sent to the caller, whoever spoke: agent, prompt, hold sound."""
        self._echo.sent(tick * FRAME_S, sent_db)

    def push(self, pcm: bytes, tick: int, *, lost: bool = False, sent_db: int = SILENT_DB) -> None:
        """20 ms of the caller's sound."""
        self.sent(tick, sent_db)
        now_s = self._clock.now_s()
        saying = self._agent.current(now_s)
        if saying is None:
            self._weigh(self._bargein.agent_silent())
        elif self._speaking and not self._hidden and not self._bargein.deciding:
            # The reply comes while the caller is speaking again: it waits, and is dropped if there are words.
            self._stood_out = True
            self._weigh(self._bargein.onset(at_s=now_s, agent=saying))
        for window, speech in self._listener.push(pcm, tick):
            self._floor.heard(window.level_db)
            if speech:
                self._near.speech(window.level_db)
            self._weigh(self._bargein.window(end_s=window.end_s, speech=speech, window_s=WINDOW_S))
            if self._ear is not None:
                samples, start_s = self._listener.sound(window.start_s, window.end_s)
                self._ear.push(samples, start_s=start_s, speech=speech, lost=lost)
        if self._captions is not None:
            self._captions.follow(self._listener.endpointing.speaking_since_s if self._speaking else None, now_s)

    def said(self, said: Said) -> None:
        """The gateway has played, or cut, a turn of the agent."""
        self._agent.ended(said.turn)
        if (timed := self._stopwatch.said(said)) is not None:
            self._port.emit(timed)

    def distress(self, level: str, *, weigh: bool = True) -> None:
        """How upset the caller is by now; one who becomes more so is not talked over."""
        rose = _RANK[level] > _RANK[self._level]
        self._level = level
        if rose and weigh:
            self._weigh(self._bargein.distress_rose(now_s=self._clock.now_s()))

    def stop_ear(self) -> None:
        """No more of how it is said; words go on."""
        if self._ear is not None:
            self._ear.stop()
        self._ear = None

    def close(self) -> None:
        self._listener.close()
        if self._captions is not None:
            self._captions.close()
        for task in self._tasks:
            task.cancel()
        self.stop_ear()

    def _is_foreign(self, window: Window) -> bool:
        """Our own echo, or talk in the background: speech, but not the caller's."""
        if not window.speech:
            return False
        self._hidden = self._floor.hides(window.level_db)
        if self._echo.masks(window.end_s, window.level_db):
            return True
        return self._listener.endpointing.speaking_since_s is None and self._near.masks(window.level_db, WINDOW_S)

    # --- as the listener reports it ---------------------------------------------------------------

    def began(self, at_s: float) -> None:
        self._speaking = True
        self._emit(SpeechStarted(leg="caller", at=at_s))
        self._stopwatch.caller_began()
        self._guess(None)
        agent = self._agent.current(self._clock.now_s())
        self._stood_out = self._stood_out or agent is None or not self._hidden
        if not self._hidden:
            self._weigh(self._bargein.onset(at_s=at_s, agent=agent))

    def stopped(self, at_s: float) -> None:
        self._speaking = False
        self._emit(SpeechStopped(leg="caller", at=at_s))
        self._weigh(self._bargein.stopped(now_s=self._clock.now_s()))

    def words(self, transcript: Transcript) -> None:
        self._heard(transcript, whole=True)

    def likely(self, turn: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        if transcript.text and not self._bargein.listening_only:
            self._guess(transcribed("caller", turn, transcript, offset_s, final=True))

    def turn(self, ended: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        if self._bargein.asking_stop:
            # Whether it was a "stop" or a back-channel, and so a turn at all, is known in a moment.
            self._unjudged.append((ended, transcript, offset_s))
            return
        if self._ear is not None:
            self._ear.turn_ended()
        transcript = self._with_stop_word(ended, transcript)
        stood_out, self._stood_out = self._stood_out, False
        self._near.turn_ended(understood=bool(transcript.text) and stood_out)
        listening_only = self._bargein.listening_only
        self._bargein.listening_only = False
        unsure = transcript.rejected in ("noise", "unsure") and ended.end_s - ended.start_s >= _WORTH_ASKING_S
        # Into the agent's own speech, what nobody could understand is no turn: there is nothing to ask again for.
        over = self._agent.current(self._clock.now_s()) is not None
        if (over and not stood_out) or (not transcript.text and (not unsure or over)):
            return
        if not listening_only:
            self._drop_unsaid()
            self._stopwatch.turn_ended(ended, self._clock.now_s())
        self._emit(transcribed("caller", ended, transcript, offset_s, final=not listening_only))

    def _with_stop_word(self, ended: TurnEnded, transcript: Transcript) -> Transcript:
        """Of a turn that was a stop word and little else the recogniser's reading is worth less than that word."""
        word, self._stop_word = self._stop_word, ""
        if not word or means_stop(transcript.text) or ended.end_s - ended.start_s >= SUSTAINED_S:
            return transcript
        words = proportional_words(word, (PREROLL_S, PREROLL_S + ended.end_s - ended.start_s))
        return replace(transcript, text=word, rejected="", words=words)

    def _drop_unsaid(self) -> None:
        """What waited behind a sentence of the gateway is an answer to nothing any more: the caller has gone on."""
        if (turn := self._agent.unsaid()) is not None:
            self._port.command(ClearTurn(turn=turn))
            self._agent.cut(turn)
            self._cut(turn, None)

    # --- interruptions ----------------------------------------------------------------------------

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
                    self._cut(turn, onset_s)
                case AskWords(start_s=start_s, end_s=end_s):
                    self._begin(self._ask_words(start_s, end_s))
                case AskStop(start_s=start_s, end_s=end_s):
                    self._begin(self._ask_stop(start_s, end_s))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_words(self, start_s: float, end_s: float) -> None:
        samples, _ = self._listener.sound(start_s - 0.2, end_s)
        try:
            transcript = await self._transcriber.transcribe(samples)
        except Exception:  # noqa: BLE001 - length of speech decides instead; the turn's own recognition will report it
            return
        # Half a second into a word the recogniser often hears nothing: only a text is news.
        if transcript.text or transcript.guess:
            self._heard(transcript, whole=False)

    async def _ask_stop(self, start_s: float, end_s: float) -> None:
        samples, _ = self._listener.sound(start_s - BEFORE_S[0], end_s)
        try:
            found = await self._transcriber.stop_word(samples)
        except Exception:  # noqa: BLE001 - as if it had not been one; the turn's own recognition will report it
            found = None
        score = found.score if found is not None else -math.inf
        actions = self._bargein.scored(score, now_s=self._clock.now_s())
        if found is not None and any(isinstance(a, Commit) for a in actions):
            self._stop_word = found.word
        self._weigh(actions)
        unjudged, self._unjudged = self._unjudged, []
        for held in unjudged:
            self.turn(*held)

    def _heard(self, transcript: Transcript, *, whole: bool) -> None:
        actions = self._bargein.heard(
            transcript.text,
            now_s=self._clock.now_s(),
            sure=transcript.log_prob >= _SURE_LOG_PROB,
            whole=whole,
            others=transcript.alternatives,
            guess=transcript.guess,
        )
        self._weigh(actions)
