"""How likely a turn speaks of danger: a logistic model over its words, their neighbours and parts of words. Pure.

A list of phrases finds the wordings it foresaw (15 % of four strangers' lists outright, `docs/benchmarks/dialogue.md`);
a model weighs every word it has met beside its neighbours and carries over to new ones. Weights are data
(``data/danger_model.json``, made by `voice.evaluation.danger_training`), every feature readable in them.

Hears from: tokens. Tells: `voice.conversation.crisis`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from voice.conversation.stems import family, stem
from voice.conversation.words import Token

MODEL = "danger_model.json"
SCALE = 1000
"""Weights are kept as whole thousandths."""
_REACH = 4
_PART = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DangerModel:
    """``alarm``, ``ask``: from which probability on a person is rung, or the caller asked. ``weights``: thousandths."""

    version: str
    bias: float
    alarm: float
    ask: float
    weights: Mapping[str, int]

    @classmethod
    @cache
    def shipped(cls) -> DangerModel:
        text = (resources.files("voice.conversation") / "data" / MODEL).read_text("utf-8")
        table = json.loads(text)
        return cls(**{k: table[k] for k in ("version", "bias", "alarm", "ask", "weights")})

    def probability(self, turn: Sequence[Token]) -> float:
        """Of danger, between 0 and 1, were half of all turns about it: a score, no frequency. Nothing said: 0."""
        words = [t.text for t in turn]
        if not words:
            return 0.0
        total = sum(self.weights.get(f, 0) for f in features(words))
        return 1 / (1 + math.exp(-(self.bias + total * share(words) / SCALE)))


def share(words: Sequence[str]) -> float:
    """What one feature counts in a turn of so many words: nobody is in danger by talking at length."""
    return 3.0 / math.sqrt(max(9, len(words)))


def features(words: Sequence[str]) -> frozenset[str]:
    """What is known of a turn: runs of one to three stems, pairs a few words apart, four letters of a word.

    Words of a family are one in runs and pairs (``KIN``, ``DRUG`` …).

    >>> sorted(features(["he", "fell"]))[:4]
    ['HE ~ >', '< HE', '< HE fall', '< he']
    """
    stems = ["<", *map(stem, words), ">"]
    alike = [family(s) for s in stems]
    found = {" ".join(run) for n in (1, 2, 3) for run in _runs(stems, n)}
    found.update(" ".join(run) for n in (2, 3) for run in _runs(alike, n))
    found.update(_pairs(alike))
    found.update(part for word in words for part in _parts(word))
    return frozenset(found - {"<", ">"})


def _runs(words: Sequence[str], n: int) -> Iterator[Sequence[str]]:
    return (words[k : k + n] for k in range(len(words) - n + 1))


def _pairs(words: Sequence[str]) -> Iterator[str]:
    for first, a in enumerate(words):
        for b in words[first + 2 : first + _REACH + 1]:
            yield f"{a} ~ {b}"


def _parts(word: str) -> Iterator[str]:
    """Survive a misheard ending: ``_sui``, ``suic`` … of "suicidal"."""
    padded = f"_{word}_"
    return (f"/{padded[k : k + _PART]}" for k in range(max(0, len(padded) - _PART + 1)))
