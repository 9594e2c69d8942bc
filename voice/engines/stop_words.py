"""Did a short sound over the agent mean "stop"? Words held against the sound, in place of words read from it.

A quarter of a second of telephone speech gives the recogniser nothing to go by: it reads "stop" as "Start." or as no
speech at all. Asked the other way round it does better: how likely are *these* words, given the sound? Of sounds in
the agent's echo (−20 dB) whose words stopped nothing, the best of the words that stop an agent, less the best of those
that mean "I am listening", tells the two apart with an AUC of 1.00 on the three synthetic voices it was chosen by and
0.90 on four others. What was said just before belongs to the agent's echo and misleads: with 0.3 s of it 0.90 and
0.85. Two beginnings of the sound are judged, for it is not known where a soft "s" begins. Nothing is generated, so
nothing can loop. 0.3 s of CPU.

Hears from: `voice.engines.transcription`. Tells: the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

STOPS = (
    "Stop.", "Wait.", "Hold on.", "No.", "Hello?", "Excuse me.", "Sorry.", "Hang on.", "Stop it.", "Please stop.",
    "What?",
)  # fmt: skip
LISTENING = (
    "Okay.", "Mm-hmm.", "Uh-huh.", "Yeah.", "Yes.", "I see.", "Right.", "Sure.", "Oh.", "Good.", "Great.", "All right.",
    "Got it.",
)  # fmt: skip
BEFORE_S = (0.15, 0.03)
"""The sound is judged from so long before its first surely voiced window."""
WINDOW_FRAMES = 200
"""Encoder states [20 ms] the words are held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWord:
    """The likeliest word that stops. ``score``: its log probability less that of the likeliest back-channel."""

    word: str
    score: float


class StopWords:
    """Both lists, as tokens of one model."""

    def __init__(self, model: Any, tokens: Any) -> None:  # noqa: ANN401 - neither library has types
        self._model, self._start = model, [tokens.sot]
        self._texts = [tokens.encode(f" {text}") for text in (*STOPS, *LISTENING)]

    def judge(self, beginnings: Sequence[NDArray[np.float32]]) -> StopWord:
        """Of encoder states [frames, width], the sound and then silence, for each place where it may begin."""
        found = [best(self._log_probs(states)) for states in beginnings]
        return StopWord(word=found[0].word, score=float(np.mean([f.score for f in found])))

    def _log_probs(self, states: NDArray[np.float32]) -> list[float]:
        window = np.ascontiguousarray(np.repeat(states[None, :WINDOW_FRAMES], len(self._texts), axis=0))
        found = self._model.align(
            ctranslate2.StorageView.from_array(window), self._start, self._texts, [window.shape[1]] * len(self._texts)
        )
        return [float(np.sum(np.log(np.maximum(text.text_token_probs, 1e-9)))) for text in found]


def best(log_probs: Sequence[float]) -> StopWord:
    """Of the log probabilities of `STOPS`, then `LISTENING`."""
    stops, listening = log_probs[: len(STOPS)], log_probs[len(STOPS) :]
    top = max(range(len(STOPS)), key=stops.__getitem__)
    return StopWord(word=STOPS[top], score=stops[top] - max(listening))
