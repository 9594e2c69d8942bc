"""Sentences people say to services, and where such a sentence may be broken off: the model of words.

Sources, to be cloned beside each other: ``oos-eval`` (github.com/clinc/oos-eval, CC BY 3.0, Larson et al., EMNLP 2019)
and ``task-specific-datasets`` (github.com/PolyAI-LDN/task-specific-datasets, CC BY 4.0, Casanueva et al. 2020, Coope et
al. 2020). Test splits are left out.

Hears from: those folders. Tells: `voice.training.turn_over`.
"""

from __future__ import annotations

import csv
import json
import random
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from voice.conversation.turn_over import features, words_of
from voice.errors import UserError

_DSTC8 = ("Events_1", "Homes_1", "RentalCars_1", "Buses_1")
BREAKS = 2
"""Places at which each sentence is broken off."""
SELDOM = 8
"""Features in fewer examples are left out."""
SMALL = 0.05
_C = 0.3


def texts(folder: Path) -> list[str]:
    """Every sentence of the sources.

    Raises:
        UserError: One is not there.
    """
    out: list[str] = []
    try:
        known = json.loads((folder / "oos-eval/data/data_full.json").read_text("utf-8"))
        out += [text for split, rows in known.items() if "test" not in split for text, _ in rows]
        other = folder / "task-specific-datasets"
        with (other / "banking_data/train.csv").open(encoding="utf-8") as file:
            out += [row["text"] for row in csv.DictReader(file)]
        spans = other / "span_extraction"
        for path in (spans / "restaurant8k/train_0.json", *(spans / f"dstc8/{s}/train_0.json" for s in _DSTC8)):
            out += [row["userInput"]["text"] for row in json.loads(path.read_text("utf-8"))]
    except OSError as exc:
        raise UserError(f"{exc.filename}: {exc.strerror}; clone what voice/training/turn_texts.py names") from exc
    return out


def fit(sentences: Sequence[str], seed: int = 0) -> tuple[dict[str, float], float]:
    """Weights by feature, and the AUC on every tenth sentence with a model of the rest."""
    rows, whole, apart = zip(*_examples(sentences, seed), strict=True)
    common = Counter(f for row in rows for f in row)
    vectors = DictVectorizer()
    x = vectors.fit_transform([{f: 1.0 for f in row if common[f] >= SELDOM} for row in rows])
    y, held_out = np.array(whole), np.array(apart)
    model = LogisticRegression(C=_C, max_iter=1000).fit(x[~held_out], y[~held_out])
    auc = float(roc_auc_score(y[held_out], model.decision_function(x[held_out])))
    model = LogisticRegression(C=_C, max_iter=1000).fit(x, y)
    weights = dict(zip(vectors.get_feature_names_out(), model.coef_[0], strict=True))
    kept = {str(f): round(float(w), 2) for f, w in sorted(weights.items()) if abs(w) >= SMALL}
    return {"<bias>": round(float(model.intercept_[0]), 2), **kept}, auc


def _examples(sentences: Sequence[str], seed: int) -> Iterator[tuple[list[str], int, bool]]:
    rng = random.Random(seed)  # noqa: S311 - nobody's secret
    for text in sentences:
        words = words_of(text)
        if len(words) < 2:
            continue
        held_out = zlib.crc32(text.encode()) % 10 == 0
        yield list(features(words)), 1, held_out
        for cut in rng.sample(range(1, len(words)), min(BREAKS, len(words) - 1)):
            yield list(features(words[:cut])), 0, held_out
