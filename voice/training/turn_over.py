"""``python -m voice.training.turn_over TEXTS``: the models of `voice.conversation.turn_over`, and their card.

TEXTS: the folder with the sources of `voice.training.turn_texts`. Pauses and ends come from
``$WARMLINE_DATA/asr-eval`` (the half of its speakers that rules are chosen by: each sentence whole, and with up to
three of its quiet stretches made 0.8 s longer, clean and under babble at 20 and 10 dB) and from
`voice.evaluation.turns_calls` (the dialogues written while rules were worked on). Some 30 minutes of one core.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from voice.conversation import turn_over
from voice.engines.pool import EnginePool
from voice.engines.transcription import load_transcriber
from voice.engines.turn_end import SmartTurn
from voice.engines.vad import SileroModel
from voice.evaluation.transcription import Utterance
from voice.evaluation.turns import recordings
from voice.evaluation.turns_calls import calls
from voice.evaluation.turns_corpus import (
    SNRS_DB,
    Sound,
    Turn,
    noisy,
    padded,
    quiet_stretches,
    sentences,
    span,
    with_pause,
)
from voice.evaluation.turns_ends import SLACK_S
from voice.evaluation.turns_pauses import Pause, pauses
from voice.evaluation.virtual_line import Models
from voice.training import turn_texts

DATA = Path(turn_over.__file__).parent / "data"
PAUSE_S, LEAST_S, MOST_PAUSES = 0.8, 0.25, 3
CUES = ("words", "sound", "log_prob")
_FOLDS = 8


def corpus(data: Sequence[Utterance], babble: Sound) -> Iterator[tuple[str, Turn]]:
    """Speaker and turn."""
    k = 0
    for u in sentences(data):
        if u.held_out:
            continue
        first, last = span(u.samples)
        whole = u.samples[first:last]
        for sound in (whole, *(with_pause(whole, at, PAUSE_S) for at in quiet_stretches(whole)[:MOST_PAUSES])):
            for snr_db in SNRS_DB:
                k += 1
                yield u.speaker, noisy(padded("whole", sound, u.text, held_out=False), snr_db, babble, k)
    for turn in calls(np.random.default_rng(0)):
        if not turn.held_out and turn.expectation.expects is None:
            for snr_db in SNRS_DB:
                k += 1
                yield turn.text, noisy(turn, snr_db, babble, k)


def examples(turn: Turn, found: Sequence[Pause]) -> Iterator[tuple[list[float], int]]:
    """Cues of each pause in which a rule might err, and whether it was the end."""
    for pause in found:
        over = pause.resumes_s is None or pause.quiet_s > turn.end_s - SLACK_S
        if pause.text and (over or (pause.resumes_s or 0.0) - pause.quiet_s >= LEAST_S):
            cues = turn_over.cues(pause.text, pause.p_complete, pause.log_prob)
            yield [cues[name] for name in CUES], int(over)


def fit(x: NDArray[np.float64], over: NDArray[np.int64], speakers: Sequence[str]) -> tuple[dict[str, float], float]:
    """Weights, and the AUC on speakers left out."""
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    apart = cross_val_predict(model, x, over, groups=speakers, cv=GroupKFold(_FOLDS), method="decision_function")
    model.fit(x, over)
    weights = {name: round(float(w), 3) for name, w in zip(CUES, model.coef_[0], strict=True)}
    return {"<bias>": round(float(model.intercept_[0]), 3), **weights}, float(roc_auc_score(over, apart))


def main(folder: Path) -> None:
    """Writes ``data/turn_over.json`` and prints what the card says."""
    words, words_auc = turn_texts.fit(turn_texts.texts(folder))
    target = DATA / "turn_over.json"
    _write(target, words, {"<bias>": 0.0, **dict.fromkeys(CUES, 0.0)})
    data, babble, _ = recordings()
    pool = EnginePool(1)
    models = Models(vad=SileroModel(), transcriber=load_transcriber("default", pool), turn_end=SmartTurn(pool))
    rows, over, speakers = [], [], []
    for k, (speaker, turn) in enumerate(corpus(data, babble)):
        for cues, is_over in examples(turn, pauses(models, turn)):
            rows.append(cues)
            over.append(is_over)
            speakers.append(speaker)
        if k % 50 == 0:
            print(f"turn_over: {k} turns heard", file=sys.stderr, flush=True)
    weights, auc = fit(np.array(rows), np.array(over), speakers)
    _write(target, words, weights)
    print(f"words: AUC {words_auc:.3f} on every tenth sentence; all cues: AUC {auc:.3f} on speakers left out, "
          f"{len(over)} pauses and ends; {weights}")  # fmt: skip


def _write(target: Path, words: dict[str, float], over: dict[str, float]) -> None:
    text = json.dumps({"words": words, "over": over}, separators=(",", ":"), ensure_ascii=False)
    target.write_text(text + "\n", "utf-8")
    turn_over.forget()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
