"""How likely is it that the turn is over, by its words and its sound? Pure.

Two small logistic models, trained by `voice.training.turn_over`, which writes their card beside them
(``data/TURN_OVER_MODEL_CARD.md``). The first reads the last words: from 42,000 sentences that people typed or said to
services it knows which words sentences end with. The second weighs that against smart-turn's verdict and how sure the
recogniser is, on pauses and ends of recorded speech. The recogniser's final mark is left out: it sets one behind nearly
every fragment.

Hears from: `voice.conversation.patience`. Tells: the same.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

_WORD = re.compile(r"[a-z']+|\d+")
_ASKING = frozenset("what where when how who why which whether if".split())
_LONGEST, _FAR = 12, 5
_MOST_SURE = 9.0
USUAL_LOG_PROB = -0.4
_UNHEARD_LOGIT = 0.0
"""Smart-turn's verdict, where there is none."""


def words_of(text: str) -> list[str]:
    """Lower case, without marks; every number is "0".

    >>> words_of("It's 42, I think.")
    ["it's", '0', 'i', 'think']
    """
    return ["0" if w[0].isdigit() else w for w in _WORD.findall(text.lower().replace("’", "'"))]


def features(words: list[str]) -> Iterator[str]:
    """What the model of words looks at.

    The last three, their endings, the first two, how many there are; and a question inside the sentence, whose verb
    comes last ("I want to know where my order is").
    """
    last, before, third = ([*reversed(words), "<s>", "<s>"])[:3]
    yield f"1={last}"
    yield f"2={before} {last}"
    yield f"p={before}"
    yield f"q={third}"
    yield f"s3={last[-3:]}"
    yield f"s2={last[-2:]}"
    yield f"f={words[0]}"
    yield f"f2={' '.join(words[:2])}"
    yield f"n={min(len(words), _LONGEST)}"
    if asked := [k for k, word in enumerate(words[:-1]) if word in _ASKING]:
        yield f"a={words[asked[-1]]} {last}"
        yield f"d={min(len(words) - 1 - asked[-1], _FAR)} {last}"


def logit(p: float) -> float:
    """Log odds, bounded."""
    if p <= 0.0 or p >= 1.0:
        return math.copysign(_MOST_SURE, p - 0.5)
    return max(-_MOST_SURE, min(_MOST_SURE, math.log(p / (1.0 - p))))


def words_logit(text: str) -> float:
    """Log odds that these words are all that was to be said, by the words alone."""
    weights = _model()["words"]
    words = words_of(text)
    return float(weights["<bias>"]) + sum(weights.get(f, 0.0) for f in features(words)) if words else -_MOST_SURE


def cues(text: str, p_sound: float | None, log_prob: float | None) -> dict[str, float]:
    """What the second model weighs."""
    return {
        "words": words_logit(text),
        "sound": _UNHEARD_LOGIT if p_sound is None else logit(p_sound),
        "log_prob": USUAL_LOG_PROB if log_prob is None else log_prob,
    }


def over_logit(text: str, p_sound: float | None, log_prob: float | None = None) -> float:
    """Log odds that a turn that said ``text`` up to this pause is over.

    Args:
        text: As recognised.
        p_sound: Smart-turn's verdict; None if there is none.
        log_prob: Mean log probability of the words: a sentence broken off is recognised less surely than a whole one.
    """
    weights = _model()["over"]
    return float(weights["<bias>"]) + sum(
        weights[name] * value for name, value in cues(text, p_sound, log_prob).items()
    )


@cache
def _model() -> dict[str, dict[str, float]]:
    data = resources.files("voice.conversation") / "data" / "turn_over.json"
    found: dict[str, dict[str, float]] = json.loads(data.read_text("utf-8"))
    return found


def forget() -> None:
    """The models are read again: they have been trained anew."""
    _model.cache_clear()
