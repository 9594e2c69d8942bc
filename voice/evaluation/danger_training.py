"""``python -m voice.evaluation.danger_training tests/data/crisis``: fits the model of danger, writes it and its card.

Every author's lists are left out whole once: what is printed, and both thresholds, come from turns of authors the model
had not met. Turns as the recogniser heard them over a phone line (``heard/``, same names) are trained on beside what
was said. Needs the extra ``train``.

Hears from: `voice.evaluation.danger`, lists; ordinary sentences from the shipped playbooks. Tells:
``voice/conversation/data``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from voice.conversation import danger
from voice.conversation.words import tokens
from voice.evaluation.danger import Phrasing, read
from voice.playbooks import load, shipped

_RULES = frozenset({"seen", "second", "third", "fourth"})
"""Lists that the phrases of ``crisis.toml`` were written with: one author."""
_OWN = frozenset({"rules", "pairs", "ordinary", "ordinary1", "ordinary2"})
"""Trained on, but thresholds are not set by them: their authors knew rules or lists, or wrote of nothing near it."""
_ALARMS, _NOTICED = 0.04, 0.18
"""Shares of strangers' harmless turns, nearly all made to sound like danger, that may alarm, and be noticed at all."""
_INVERSE_PENALTY, _MET = 3.0, 3
"""Of the regression; features met in fewer turns than ``_MET`` are not kept."""
_TENTH = 0.1
_SMALLEST = 20
"""Thousandths: weights nearer to nothing are left out. Costs no recall, saves a third of the file."""

_CARD = """# The model of danger, version {version}

Logistic regression on stems, their neighbours and parts of words (`voice.conversation.danger`); {weights} weights,
thousandths of log odds. From {alarm:.2f} on: number and person at once. From {ask:.2f} on: the question whether the
caller is safe. **Not a clinical tool**, not validated on people in danger.

Trained by `python -m voice.evaluation.danger_training tests/data/crisis` on {turns} turns, {danger} of danger: four
lists by writers who saw no rule, lists written with the phrases of `crisis.toml`, pairs, ordinary and upset turns
(three lists by strangers), and most of these again as the recogniser heard them over a phone line from synthetic
voices. All written for this; no recording, transcript or post of a person in danger was used.

The thresholds let through {alarms:.0%} (alarm) and {noticed:.0%} (alarm or question) of the harmless turns of the four
writers, made to sound like danger, and of customers who are upset and no more (`upset`), by models that had seen
nothing of their writer. Figures of those models,
without the phrases that count beside them:

{rows}

Ordinary turns left out whole say what their absence would cost, not how often an ordinary caller is asked: for that
see `docs/benchmarks/dialogue.md`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """``weights``: of one feature in a turn of nine words."""

    bias: float
    weights: dict[str, int]

    def scores(self, turns: Sequence[frozenset[str]], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log odds."""
        sums = np.array([sum(self.weights.get(f, 0) for f in turn) for turn in turns], dtype=np.float64)
        return np.asarray(self.bias + sums * shares / danger.SCALE, dtype=np.float64)


def turns(folder: Path) -> list[Phrasing]:
    """All lists of ``folder``, as said and as heard, and what either side says in calls of the shipped playbooks."""
    lists = [(p, False) for p in sorted(folder.glob("*.txt"))] + [(p, True) for p in sorted(folder.glob("heard/*.txt"))]
    said = [x for p, heard in lists for x in read(p, "rules" if p.stem in _RULES else p.stem, heard=heard)]
    playbooks = [load(name) for name in shipped()]
    ordinary = {text for book in playbooks for intent in book.intents for text in intent.examples}
    ordinary |= {text for book in playbooks for text in book.spoken_texts().values() if "{" not in text}
    return said + [Phrasing(text=text, danger=False, author="ordinary") for text in sorted(ordinary)]


def fit(found: Sequence[frozenset[str]], shares: NDArray[np.float64], labels: NDArray[np.bool_]) -> Fitted:
    """Penalised logistic regression on binary features, weighted by how rare they are and by the turn's length."""
    counter = CountVectorizer(analyzer=lambda x: x, binary=True, min_df=_MET)
    met = csr_matrix(counter.fit_transform(found))
    rarity = (np.log((1 + met.shape[0]) / (1 + np.asarray(met.sum(axis=0)).ravel())) + 1) * _TENTH
    scaled = diags(shares) @ met @ diags(rarity)
    model = LogisticRegression(C=_INVERSE_PENALTY, class_weight="balanced", solver="liblinear", max_iter=3000)
    model.fit(scaled, labels)
    weights = np.round(model.coef_[0] * rarity * danger.SCALE).astype(int)
    names = counter.get_feature_names_out()
    kept = {str(n): int(w) for n, w in zip(names, weights, strict=True) if abs(w) >= _SMALLEST}
    return Fitted(bias=round(float(model.intercept_[0]), 4), weights=kept)


def left_out(listed: Sequence[Phrasing], found: Sequence[frozenset[str]], shares: NDArray[np.float64]) -> (
    NDArray[np.float64]
):  # fmt: skip
    """Log odds of each turn by a model that has seen nothing of its author."""
    authors, labels = np.array([x.author for x in listed]), np.array([x.danger for x in listed])
    out = np.zeros(len(listed))
    for author in sorted(set(authors)):
        away = authors == author
        model = fit([f for f, a in zip(found, away, strict=True) if not a], shares[~away], labels[~away])
        out[away] = model.scores([f for f, a in zip(found, away, strict=True) if a], shares[away])
    return out


def card(listed: Sequence[Phrasing], scores: NDArray[np.float64], alarm: float, ask: float) -> list[str]:
    """What each author's lists, left out, would have brought by the model alone."""
    rows = ["| author left out | turns | AUC | outright | outright or asked | needless alarms | needless questions |",
            "|---|---|---|---|---|---|---|"]  # fmt: skip
    keys = [(x.author, x.heard) for x in listed]
    labels = np.array([x.danger for x in listed])
    for author, heard in sorted(set(keys), key=lambda k: (k[1], k[0])):
        of = np.array([k == (author, heard) for k in keys])
        d, h = scores[of & labels], scores[of & ~labels]
        auc = f"{roc_auc_score(labels[of], scores[of]):.3f}" if len(d) else "–"
        recall = [f"{np.mean(d > x):.2f}" if len(d) else "–" for x in (alarm, ask)]
        needless = [f"{x:.3f}" for x in (np.mean(h > alarm), np.mean((h > ask) & (h <= alarm)))]
        name = f"{author}, as heard over a phone line" if heard else author
        rows.append(f"| {name} | {of.sum()} | {auc} | {' | '.join([*recall, *needless])} |")
    return rows


def main(folder: Path, out: Path = Path(danger.__file__).parent / "data", version: str = "3") -> None:
    """Trains on the lists of FOLDER and writes model and card."""
    listed = turns(folder)
    words = [[t.text for t in tokens(x.text)] for x in listed]
    found, shares = [danger.features(w) for w in words], np.array([danger.share(w) for w in words])
    labels = np.array([x.danger for x in listed])
    scores = left_out(listed, found, shares)
    strange = np.array([x.author not in _OWN and not x.heard for x in listed])
    alarm, ask = (float(np.quantile(scores[strange & ~labels], 1 - x)) for x in (_ALARMS, _NOTICED))
    rows = card(listed, scores, alarm, ask)
    model = fit(found, shares, labels)
    table = {
        "version": version, "bias": model.bias, "alarm": round(_odds(alarm), 4), "ask": round(_odds(ask), 4),
        "weights": dict(sorted(model.weights.items())),
    }  # fmt: skip
    (out / danger.MODEL).write_text(json.dumps(table, indent=0, ensure_ascii=False) + "\n", "utf-8")
    (out / "DANGER_MODEL_CARD.md").write_text(_CARD.format(
        version=version, turns=len(listed), danger=int(labels.sum()), weights=len(model.weights), alarm=_odds(alarm),
        ask=_odds(ask), alarms=_ALARMS, noticed=_NOTICED, rows="\n".join(rows),
    ), "utf-8")  # fmt: skip
    sys.stdout.write("\n".join([*rows, f"{len(model.weights)} weights", ""]))


def _odds(log_odds: float) -> float:
    return 1 / (1 + float(np.exp(-log_odds)))


if __name__ == "__main__":
    typer.run(main)
