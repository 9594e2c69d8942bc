"""What is begun in a pause, when others wait for the models and when nobody does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.unit.voice.engines.conftest import clip
from voice.conversation.endpointing import TurnEnded
from voice.conversation.patience import Expectation
from voice.engines.transcription import Transcript
from voice.engines.vad import SileroDetector, SileroModel
from voice.errors import EngineError
from voice.pipeline.listener import Listener

Sound = NDArray[np.float32]
FRAME = 160


@dataclass
class Models:
    """Engines that answer at once; ``asked``: what they were asked for, in order."""

    text: str
    p: float
    asked: list[str] = field(default_factory=list)

    async def transcribe(self, samples: Sound, expects: str | None = None) -> Transcript:
        self.asked.append("words")
        return Transcript(text=self.text, log_prob=-0.2, no_speech=0.0)

    async def stop_word(self, samples: Sound) -> None:
        return None

    async def p_complete(self, samples: Sound, *, due: bool = False) -> float:
        self.asked.append("verdict, due" if due else "verdict")
        return self.p


@dataclass
class Report:
    ended: list[TurnEnded] = field(default_factory=list)

    def began(self, at_s: float) -> None: ...
    def stopped(self, at_s: float) -> None: ...
    def words(self, transcript: Transcript) -> None: ...
    def likely(self, turn: TurnEnded, transcript: Transcript, offset_s: float) -> None: ...
    def broke(self, error: EngineError) -> None: ...
    def turn(self, ended: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        self.ended.append(ended)


async def heard(
    silero: SileroModel, models: Models, sound: Sound, *, crowded: bool, expects: str | None = None
) -> Report:
    report = Report()
    listener = Listener(
        detector=SileroDetector(silero),
        transcriber=models,  # type: ignore[arg-type]
        turn_end=models,
        report=report,
        crowded=lambda: crowded,
    )
    listener.endpointing.expectation = Expectation(expects=expects)  # type: ignore[arg-type]
    pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    for tick in range(len(pcm) // FRAME):
        listener.push(pcm[tick * FRAME : (tick + 1) * FRAME].tobytes(), tick)
        for _ in range(4):  # tasks that the frame has begun
            await asyncio.sleep(0)
    return report


def quiet(seconds: float) -> Sound:
    return np.zeros(round(seconds * 8000), np.float32)


def with_a_breath() -> Sound:
    """A breath of 0.16 s inside: longer than the 0.1 s after which work may begin, shorter than a pause."""
    speech = clip("lj-LJ001-0008")[:6000]
    return np.concatenate([quiet(0.5), speech, quiet(0.16), speech, quiet(2.0)])


async def test_with_threads_to_spare_words_and_verdict_are_begun_in_every_breath(silero: SileroModel) -> None:
    models = Models(text="I would like to know where my order is.", p=0.9)
    await heard(silero, models, with_a_breath(), crowded=False)
    assert models.asked == ["words", "verdict"] * 2


async def test_when_others_wait_a_breath_is_no_pause_and_the_verdict_comes_after_the_words(silero: SileroModel) -> None:
    models = Models(text="I would like to know where my order is.", p=0.9)
    report = await heard(silero, models, with_a_breath(), crowded=True)
    assert models.asked == ["words", "verdict, due"]
    assert len(report.ended) == 1


async def test_when_others_wait_no_verdict_is_asked_for_where_the_words_tell(silero: SileroModel) -> None:
    models = Models(text="Yes, that is right.", p=0.9)
    report = await heard(silero, models, with_a_breath(), crowded=True)
    assert models.asked == ["words"]
    assert len(report.ended) == 1
