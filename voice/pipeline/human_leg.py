"""The human's leg: words only, and only while asked for. Nothing of the human's voice is measured.

No prosody is imported here, so that nothing can be (EU AI Act, Art. 5(1)(f)).

Hears from: `voice.pipeline.hearing`. Tells: facts of leg "human", `ConsentHeard`.
"""

from __future__ import annotations

from collections.abc import Callable

from telephony.facts import ConsentHeard, Fact, SpeechStarted, SpeechStopped
from voice.conversation.endpointing import TurnEnded
from voice.conversation.patience import Expectation
from voice.engines.transcription import Transcriber, Transcript
from voice.engines.vad import SileroDetector, SileroModel
from voice.errors import EngineError
from voice.handoff.consent import interpret
from voice.pipeline.listener import Listener
from voice.pipeline.words import transcribed


class HumanLeg:
    """From `ListenToHuman{on}` to `{off}`; a new one each time, so that nothing is carried over."""

    def __init__(
        self,
        *,
        vad: SileroModel,
        transcriber: Transcriber,
        emit: Callable[[Fact], None],
        broke: Callable[[EngineError], None],
    ) -> None:
        self._emit, self.broke = emit, broke
        self._listener = Listener(detector=SileroDetector(vad), transcriber=transcriber, turn_end=None, report=self)
        self._listener.endpointing.expectation = Expectation(expects="answer")

    def push(self, pcm: bytes, tick: int) -> None:
        self._listener.push(pcm, tick)

    def close(self) -> None:
        self._listener.close()

    # --- as the listener reports it ---------------------------------------------------------------

    def began(self, at_s: float) -> None:
        self._emit(SpeechStarted(leg="human", at=at_s))

    def stopped(self, at_s: float) -> None:
        self._emit(SpeechStopped(leg="human", at=at_s))

    def words(self, transcript: Transcript) -> None:
        pass

    def likely(self, turn: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        pass

    def turn(self, ended: TurnEnded, transcript: Transcript, offset_s: float) -> None:
        if transcript.text:
            self._emit(transcribed("human", ended, transcript, offset_s, final=True))
            self._emit(ConsentHeard(intent=interpret(transcript.text), text=transcript.text, end=ended.end_s))
