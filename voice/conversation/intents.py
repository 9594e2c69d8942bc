"""What the caller wants: weighted keywords and likeness to example sentences. Pure.

Keywords carry the decision because a recogniser that mishears one word still leaves the others; likeness to an
example only breaks ties. Hears from: a turn's text and the playbook. Tells: `voice.conversation.dialogue`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice.conversation.sounds import alike
from voice.conversation.words import Token, find, negated, plain, tokens
from voice.playbooks.schema import Article, Intent, Playbook

ENOUGH = 1.0
"""Sum of keyword weights from which a matter counts as recognised."""
LIKENESS_WEIGHT = 0.5
NEGATED = 0.25
"""What is left of a keyword after "not": "I don't want to cancel" still is about something else."""

_NAMED, _ANSWER_WORDS = 0.3, 7
"""The same in an answer of so few words to the question what it is about."""
_PART_WORDS = 3
"""Fewest words of a part of a sentence that can be a matter of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Best intent. ``confidence`` 0–1 falls with a close second; ``start``/``end``: span of its words [s]."""

    intent: Intent
    score: float
    confidence: float
    start: float
    end: float


def recognise(heard: str | Sequence[Token], playbook: Playbook, *, enough: float = ENOUGH) -> Guess | None:
    """The intent whose keywords are heard, or ``None`` if nothing reaches ``enough``."""
    turn = tokens(heard) if isinstance(heard, str) else heard
    if not turn:
        return None
    scored = sorted(((_score(turn, i), i) for i in playbook.intents), key=lambda s: -s[0][0])
    (best, first, last), intent = scored[0]
    if best < enough:
        return None
    second = scored[1][0][0] if len(scored) > 1 else 0.0
    confidence = round(best / (best + 1.0) * (1.0 - 0.5 * max(0.0, second) / best), 3)
    return Guess(
        intent=intent, score=best, confidence=confidence, start=turn[first].start, end=turn[last].end
    )  # fmt: skip


def recognise_all(turn: Sequence[Token], playbook: Playbook) -> list[Guess]:
    """The matters of one sentence in the order they were said: "my bill is wrong and my internet is down".

    The whole turn decides the main matter; a part between "and", "also" or punctuation adds one only if it reaches
    `ENOUGH` by itself.
    """
    whole = recognise(turn, playbook)
    if whole is None:
        return []
    parts = [g for part in _parts(turn) if len(part) >= _PART_WORDS and (g := recognise(part, playbook))]
    names = {g.intent.name for g in parts}
    if len(names) < 2 or whole.intent.name not in names:
        return [whole]
    seen: dict[str, Guess] = {}
    for guess in parts:
        seen.setdefault(guess.intent.name, guess)
    return list(seen.values())


def _parts(turn: Sequence[Token]) -> list[Sequence[Token]]:
    cuts = [0]
    for k in range(1, len(turn)):
        if turn[k].text in ("and", "also", "then", "plus") or turn[k].clause != turn[k - 1].clause:
            cuts.append(k)
    return [turn[a:b] for a, b in zip(cuts, [*cuts[1:], len(turn)], strict=True)]


def article(turn: Sequence[Token], playbook: Playbook) -> Article | None:
    """The knowledge article that answers this question, if one clearly does."""
    score, best = best_article(turn, playbook)
    return best if score >= ENOUGH else None


def best_article(turn: Sequence[Token], playbook: Playbook) -> tuple[float, Article | None]:
    """The likeliest article and its score."""
    best: tuple[float, Article | None] = (0.0, None)
    for item in playbook.articles.values():
        score = sum(w for phrase, w in item.keywords.items() if find(turn, phrase))
        if score > best[0]:
            best = (score, item)
    return best


def _score(turn: Sequence[Token], intent: Intent) -> tuple[float, int, int]:
    total, first, last = 0.0, len(turn) - 1, 0
    for phrase, weight in intent.keywords.items():
        match = find(turn, phrase)
        if match is None:
            continue
        if negated(turn, match.first):
            weight = max(0.0, weight) * NEGATED
        total += weight
        if weight > 0:
            first, last = min(first, match.first), max(last, match.last)
    if total > 0:
        said = " ".join(t.text for t in turn)
        total += LIKENESS_WEIGHT * max(likeness(said, plain(e)) for e in intent.examples)
    if last < first:
        first, last = 0, len(turn) - 1
    return total, first, last


def misheard(turn: Sequence[Token], playbook: Playbook) -> Guess | None:
    """The matter, if words that sound like a keyword are taken for it: "my pill is too high". To be asked about."""
    known = {w for i in playbook.intents for k in i.keywords for w in re.findall(r"[a-z]{4,}", k)}
    meant = [replace(t, text=_nearest(t.text, known)) for t in _joined(turn, known)]
    return recognise(meant, playbook) if meant != list(turn) else None


def _joined(turn: Sequence[Token], known: set[str]) -> list[Token]:
    """Two words that make a known one are it: "black out"."""
    out: list[Token] = []
    for token in turn:
        if out and out[-1].text + token.text in known:
            out[-1] = replace(out[-1], text=out[-1].text + token.text, end=token.end)
        else:
            out.append(token)
    return out


def _nearest(word: str, known: set[str]) -> str:
    return word if word in known else next((k for k in sorted(known) if alike(word, k)), word)


def named(turn: Sequence[Token], playbook: Playbook) -> Guess | None:
    """The matter of a short answer to "is it about an order, a bill …?": its keyword alone is enough."""
    if len(turn) > _ANSWER_WORDS:
        return None
    return recognise(turn, playbook, enough=_NAMED) or misheard(turn, playbook)


_FOR_A_PERSON = "I want to speak to a real person. Can I talk to someone, please? Give me an agent."


def vocabulary(playbook: Playbook) -> str:
    """Sentences that callers of this playbook are likely to say, for a recogniser that is told what to expect."""
    said = [example for intent in playbook.intents for example in intent.examples[:2]]
    return " ".join([s[0].upper() + s[1:].rstrip(".?!") + "." for s in said if s] + [_FOR_A_PERSON])


def likeness(a: str, b: str) -> float:
    """Share of words two sentences have in common, 0–1 (Dice)."""
    left, right = set(a.split()), set(b.split())
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0
