"""One channel of a recording through the live ears, without waiting: facts with the call time at which they are due.

Hears from: `voice.scoring` (samples). Tells: the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from prosody.emotion import WindowScore
from prosody.loudness import CallReference
from prosody.streaming import SpeechWindow, WindowStream
from telephony.facts import EmotionScored, Fact, ProsodyMeasured, Said, SpeechStarted, SpeechStopped, Transcribed
from voice.conversation.endpointing import Action, Began, Consider, Endpointing, Stopped, TurnEnded
from voice.engines.transcription import Transcript
from voice.engines.vad import SileroDetector

if TYPE_CHECKING:
    from voice.scoring import Engines

RATE_HZ = 8000
FRAME = 160
END_S = 3.0
"""Silence heard after the recording, longer than any endpointing wait: the last turn ends by its own rule."""


class Listening(Enum):
    """Whose channel it is. Only the caller's voice is scored."""

    CALLER = "caller"
    OTHER = "other"


Timed = tuple[float, Fact]


def listen(channel: npt.NDArray[np.int16], engines: Engines, whose: Listening) -> Iterator[Timed]:
    """Facts of one channel [samples at 8 kHz], in order."""
    ears = _Ears(channel, engines, whose)
    for at in range(0, len(ears.sound), FRAME):
        yield from ears.push(ears.sound[at : at + FRAME], at / RATE_HZ)


class _Ears:
    def __init__(self, channel: npt.NDArray[np.int16], engines: Engines, whose: Listening) -> None:
        silence = np.zeros(round(END_S * RATE_HZ), np.float32)
        self.sound = np.concatenate([channel.astype(np.float32) / np.float32(32768), silence])
        self._length_s = len(channel) / RATE_HZ
        self._engines, self._whose = engines, whose
        self._detector = SileroDetector(engines.vad)
        self._endpointing = Endpointing()
        self._stream = WindowStream()
        self._reference = CallReference()
        self._found: dict[int, tuple[Transcript, float]] = {}

    def push(self, samples: npt.NDArray[np.float32], start_s: float) -> Iterator[Timed]:
        for window in self._detector.push(samples, start_s):
            now_s = min(window.end_s, self._length_s)
            actions = self._endpointing.window(start_s=window.start_s, end_s=window.end_s, speech=window.speech)
            yield from self._carry_out(actions, now_s)
            if self._whose is Listening.CALLER:
                part = self._between(window.start_s, window.end_s)
                yield from self._score(
                    self._stream.push(part, start_s=window.start_s, speech=window.speech), now_s
                )  # fmt: skip

    def _between(self, start_s: float, end_s: float) -> npt.NDArray[np.float32]:
        return self.sound[max(0, round(start_s * RATE_HZ)) : round(end_s * RATE_HZ)]

    def _carry_out(self, actions: Sequence[Action], now_s: float) -> Iterator[Timed]:
        for action in actions:
            match action:
                case Began(at_s=at_s) if self._whose is Listening.CALLER:
                    yield now_s, SpeechStarted(leg="caller", at=round(at_s, 3))
                case Stopped(at_s=at_s) if self._whose is Listening.CALLER:
                    yield now_s, SpeechStopped(leg="caller", at=round(at_s, 3))
                case Consider():
                    yield from self._carry_out(self._consider(action), now_s)
                case TurnEnded():
                    yield from self._turn(action, now_s)
                case _:
                    continue

    def _consider(self, what: Consider) -> list[Action]:
        samples = self._between(what.start_s, what.end_s)
        self._found = {what.pause: (self._engines.transcriber.recognise(samples), what.start_s)}
        judged = self._endpointing.judged(what.pause, self._engines.turn_end.judge(samples))
        recognised = self._endpointing.recognised(what.pause, self._found[what.pause][0].text)
        return [*judged, *recognised]

    def _turn(self, ended: TurnEnded, now_s: float) -> Iterator[Timed]:
        if self._whose is Listening.CALLER:
            yield from self._score(self._stream.flush(), now_s)
        transcript, offset_s = self._found.pop(ended.pause)
        if not transcript.text:
            return
        start, end = round(ended.start_s, 3), round(min(ended.end_s, self._length_s), 3)
        if self._whose is Listening.OTHER:
            rate_wpm = round(60 * len(transcript.text.split()) / max(end - start, 0.1), 1)
            yield now_s, Said(leg="caller", start=start, end=end, text=transcript.text, rate_wpm=rate_wpm)
            return
        yield (
            now_s,
            Transcribed(
                leg="caller",
                start=start,
                end=end,
                text=transcript.text,
                log_prob=round(transcript.log_prob, 4),
                no_speech=round(transcript.no_speech, 4),
                words=tuple((round(a + offset_s, 3), round(b + offset_s, 3), w) for a, b, w in transcript.words),
            ),
        )

    def _score(self, windows: Sequence[SpeechWindow], now_s: float) -> Iterator[Timed]:
        for window in windows:
            for fact in facts_of(self._engines.ear.score(window, self._reference), self._engines.versions["ear"]):
                yield now_s, fact


def facts_of(score: WindowScore, model: str) -> tuple[ProsodyMeasured, EmotionScored]:
    """A scored window as the two facts of the call record."""
    m = score.measures
    return (
        ProsodyMeasured(
            start=score.start,
            end=score.end,
            f0_hz=m.f0_hz,
            f0_range_st=m.f0_range_st,
            loudness_db=m.loudness_db,
            rate_syl_s=m.rate_syl_s,
            pause_ratio=m.pause_ratio,
            jitter_ratio=m.jitter_ratio,
            shimmer_db=m.shimmer_db,
            hnr_db=m.hnr_db,
            snr_db=m.snr_db,
        ),
        EmotionScored(
            start=score.start,
            end=score.end,
            arousal=score.arousal,
            p_distress=score.p_distress,
            classes=dict(score.classes),
            abstained=score.abstained,
            reason=score.reason,
            model=model,
        ),
    )
