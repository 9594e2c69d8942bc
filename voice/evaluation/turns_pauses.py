"""Every pause of a turn with what is known in it, so that rules of waiting can be compared without hearing it again.

Hears from: `voice.evaluation.turns_corpus`. Tells: `voice.evaluation.turns_curve`, `voice.training.turn_over`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from telephony.link_codec import RATE_HZ
from voice.conversation.endpointing import Abandon, Consider, Endpointing, Stopped
from voice.conversation.patience import patience_s
from voice.engines.vad import WINDOW_S, SileroDetector
from voice.evaluation.turns_corpus import Turn
from voice.evaluation.turns_ends import ANSWER_S, SLACK_S, Ended
from voice.evaluation.virtual_line import RECOGNITION_S, Models

_NOISE_DB = -65.0
EARLIEST_S = 0.09 + RECOGNITION_S
"""Before then the words of a pause are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Quiet from ``quiet_s`` to ``resumes_s`` [s of the turn's sound]; None: to its end."""

    quiet_s: float
    resumes_s: float | None
    spoken_s: float
    text: str
    log_prob: float
    p_complete: float


def pauses(models: Models, turn: Turn) -> list[Pause]:
    """As the voice activity detector, recogniser and smart-turn of a call find them, were the turn never taken."""
    rng = np.random.default_rng(0)
    sound = turn.samples + 10 ** (_NOISE_DB / 20) * rng.standard_normal(len(turn.samples))
    samples = sound.astype(np.float32)
    found: list[tuple[Consider, float, float | None]] = []
    considered: Consider | None = None
    endpointing = Endpointing()
    for window in SileroDetector(models.vad).push(samples, 0.0):
        for action in endpointing.window(start_s=window.start_s, end_s=window.end_s, speech=window.speech):
            match action:
                case Consider():
                    considered = action
                case Stopped(at_s=at_s) if considered is not None:
                    found.append((considered, at_s, None))
                case Abandon() if found and found[-1][0] is considered:
                    found[-1] = (found[-1][0], found[-1][1], window.end_s)
    return [_judged(models, turn, samples, what, quiet_s, resumes_s) for what, quiet_s, resumes_s in found]


def _judged(
    models: Models, turn: Turn, samples: np.ndarray, what: Consider, quiet_s: float, resumes_s: float | None
) -> Pause:
    heard = samples[round(what.start_s * RATE_HZ) : round(what.end_s * RATE_HZ)]
    words = models.transcriber.recognise(heard, expects=turn.expectation.expects)
    return Pause(
        quiet_s=quiet_s, resumes_s=resumes_s, spoken_s=quiet_s - what.start_s, text=words.text,
        log_prob=words.log_prob, p_complete=models.turn_end.judge(heard),
    )  # fmt: skip


def taken(turn: Turn, found: Sequence[Pause], patience: float) -> Ended:
    """What would have become of the turn with every wait multiplied by ``patience``."""
    expectation = replace(turn.expectation, factor=turn.expectation.factor * patience)
    split = cut = False
    delay_s: float | None = None
    for pause in found:
        wait_s, _ = patience_s(
            pause.text, pause.p_complete, expectation, spoken_s=pause.spoken_s, log_prob=pause.log_prob
        )
        windows = math.ceil(round(max(wait_s - 0.01, EARLIEST_S) / WINDOW_S, 6))
        at_s = pause.quiet_s + windows * WINDOW_S
        if (pause.resumes_s is not None and at_s >= pause.resumes_s) or not pause.text:
            continue
        if at_s >= turn.end_s - SLACK_S:
            delay_s = max(0.0, at_s - turn.end_s) if delay_s is None else delay_s
        else:
            split = True
            cut = cut or not turn.speaks[round(100 * at_s) : round(100 * (at_s + ANSWER_S))].any()
    return Ended(turn=turn, split=split, cut=cut, delay_s=delay_s)
