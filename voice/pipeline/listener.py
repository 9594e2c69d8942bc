"""The ears of one leg: voice activity, end of turn, words. The same for the caller and, words only, for the human.

Nothing blocks here: recognition and smart-turn run as tasks on the engine pool, are begun 0.1 s into a pause and
cancelled when speech goes on.

Hears from: `voice.pipeline.hearing` (sound). Tells: the same, through `Heard`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from telephony.link_codec import FRAME_S
from voice.conversation.endpointing import (
    DROWNED_TURN_S,
    LONG_TURN_S,
    Abandon,
    Action,
    Began,
    Consider,
    Endpointing,
    Stopped,
    TurnEnded,
)
from voice.engines.certainty import DROWNED_DB, spread_db
from voice.engines.transcription import Transcriber, Transcript
from voice.engines.turn_end import TurnEnd
from voice.engines.vad import WINDOW_S, SpeechDetector, Window
from voice.errors import EngineError

RATE_HZ = 8000
KEPT_S = 30.0
GAP_S = 1.0
"""A hole in the sound longer than this ends what was being said."""


class Tape:
    """The last half minute of a leg, addressed by samples of call time."""

    def __init__(self) -> None:
        self._room = np.zeros(int((KEPT_S + 5) * RATE_HZ), np.float32)
        self._used = 0
        self._start = 0
        """Sample of the call at which the tape begins."""

    @property
    def end(self) -> int:
        return self._start + self._used

    def restart(self, at: int) -> None:
        self._start, self._used = at, 0

    def append(self, samples: NDArray[np.float32]) -> None:
        if self._used + len(samples) > len(self._room):
            # Moved once in 5 s, not on every frame: a copy of 1 MB per 20 ms and call would cost half a percent.
            kept = int(KEPT_S * RATE_HZ)
            dropped = self._used - kept
            self._room[:kept] = self._room[dropped : self._used].copy()
            self._start, self._used = self._start + dropped, kept
        self._room[self._used : self._used + len(samples)] = samples
        self._used += len(samples)

    def between(self, start_s: float, end_s: float) -> tuple[NDArray[np.float32], float]:
        """A copy of what is kept between two call times, and the call time it begins at [s]."""
        a = min(self._used, max(0, round(start_s * RATE_HZ) - self._start))
        b = min(self._used, max(a, round(end_s * RATE_HZ) - self._start))
        return self._room[a:b].copy(), (self._start + a) / RATE_HZ


class Heard(Protocol):
    """What a listener reports, in order."""

    def began(self, at_s: float) -> None: ...
    def stopped(self, at_s: float) -> None: ...
    def words(self, transcript: Transcript) -> None:
        """Of the turn so far, before it is known to be over."""
        ...

    def likely(self, turn: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        """The turn is what it will have been if nothing more is said; only the wait is not over."""
        ...

    def turn(self, ended: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        """``offset_s``: call time of the transcript's time zero."""
        ...

    def broke(self, error: EngineError) -> None: ...


class Listener:
    """One leg of one call; the engines are shared, all state is its own."""

    def __init__(
        self,
        *,
        detector: SpeechDetector,
        transcriber: Transcriber,
        turn_end: TurnEnd | None,
        report: Heard,
        masked: Callable[[Window], bool] = lambda _: False,
        crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        """``crowded``: others wait for the models, so nothing is begun that may turn out useless."""
        self.endpointing = Endpointing()
        self._detector, self._transcriber, self._turn_end = detector, transcriber, turn_end
        self._report, self._masked, self._crowded = report, masked, crowded
        self._tape = Tape()
        self._tasks: dict[int, list[asyncio.Task[None]]] = {}
        self._found: dict[int, tuple[Transcript, float]] = {}
        self._put_off: Consider | None = None

    def push(self, pcm: bytes, tick: int) -> list[tuple[Window, bool]]:
        """One frame; returns the windows now complete with the verdict after masking."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        at = round(tick * FRAME_S * RATE_HZ)
        hole = at - self._tape.end
        if hole < 0 and self._tape.end - at < GAP_S * RATE_HZ:
            return []
        if abs(hole) > GAP_S * RATE_HZ:
            self._cancel_all()
            self.endpointing.reset()
            self._tape.restart(at)
            hole = 0
        if hole:
            samples = np.concatenate([np.zeros(hole, np.float32), samples])
            at -= hole
        self._tape.append(samples)
        out = []
        for window in self._detector.push(samples, at / RATE_HZ):
            speech = window.speech and not self._masked(window)
            out.append((window, speech))
            self._weigh_noise(window.end_s)
            self._carry_out(self.endpointing.window(start_s=window.start_s, end_s=window.end_s, speech=speech))
        return out

    def _weigh_noise(self, now_s: float) -> None:
        """Once a second of a turn that is long already: does speech still stand out?"""
        start_s = self.endpointing.speaking_since_s
        if start_s is None or now_s - start_s < DROWNED_TURN_S:
            self.endpointing.drowned = False
        elif int(now_s) != int(now_s - WINDOW_S):
            self.endpointing.drowned = spread_db(self.sound(now_s - DROWNED_TURN_S, now_s)[0]) < DROWNED_DB

    def sound(self, start_s: float, end_s: float) -> tuple[NDArray[np.float32], float]:
        """What was heard between two call times, as far as it is kept, and the call time it begins at."""
        return self._tape.between(start_s, end_s)

    def close(self) -> None:
        self._cancel_all()

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Began(at_s=at_s):
                    self._report.began(at_s)
                case Stopped(at_s=at_s):
                    self._report.stopped(at_s)
                    if self._put_off is not None:
                        self._consider(self._put_off)
                case Consider(start_s=start_s, end_s=end_s) if self._crowded() and end_s - start_s < LONG_TURN_S:
                    # Two pauses in three that have lasted 0.1 s are over before they have lasted 0.2 s.
                    self._put_off = action
                case Consider():
                    self._consider(action)
                case Abandon(pause=pause):
                    self._cancel(pause)
                case TurnEnded(pause=pause):
                    transcript, offset_s = self._found.pop(pause)
                    self._cancel(pause)
                    self._report.turn(action, transcript, offset_s)

    def _consider(self, what: Consider) -> None:
        self._put_off = None
        samples, offset_s = self.sound(what.start_s, what.end_s)
        tasks = self._tasks[what.pause] = [self._begin(self._recognise(what, samples, offset_s))]
        if self._turn_end is None:
            # Short answers to a question: every pause is an end.
            self.endpointing.judged(what.pause, 1.0)
        elif not self._crowded():
            tasks.append(self._begin(self._judge(self._turn_end, what.pause, samples)))

    async def _recognise(self, what: Consider, samples: NDArray[np.float32], offset_s: float) -> None:
        try:
            transcript = await self._transcriber.transcribe(samples, self.endpointing.expectation.expects)
        except Exception as exc:  # noqa: BLE001 - whatever the runtime raises, the call goes on without it
            self._report.broke(EngineError("transcription", type(exc).__name__))
            return
        self._found[what.pause] = (transcript, offset_s)
        self._report.words(transcript)
        # Whether the caller has finished can be read from words that are too doubtful to answer.
        said = transcript.text or transcript.guess
        self._carry_out(self.endpointing.recognised(what.pause, said, transcript.log_prob))
        tasks = self._tasks.get(what.pause, [])
        if self._turn_end is not None and len(tasks) == 1 and self.endpointing.sound_matters(what.pause):
            tasks.append(self._begin(self._judge(self._turn_end, what.pause, samples, due=True)))
        start_s = self.endpointing.speaking_since_s
        if what.pause in self._found and start_s is not None:
            turn = TurnEnded(pause=what.pause, start_s=start_s, end_s=what.end_s, waited_s=0.0, rule="likely")
            self._report.likely(turn, transcript, offset_s)

    async def _judge(self, turn_end: TurnEnd, pause: int, samples: NDArray[np.float32], *, due: bool = False) -> None:
        try:
            p_complete = await turn_end.p_complete(samples, due=due)
        except Exception:  # noqa: BLE001 - without the verdict the longer wait applies
            return
        self._carry_out(self.endpointing.judged(pause, p_complete))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)

    def _cancel(self, pause: int) -> None:
        self._found.pop(pause, None)
        self._put_off = None
        current = asyncio.current_task()
        for task in self._tasks.pop(pause, []):
            if task is not current:
                task.cancel()

    def _cancel_all(self) -> None:
        self._put_off = None
        for pause in list(self._tasks):
            self._cancel(pause)
