"""Words as the recogniser gives them, made comparable: tokens with their spans, wildcards, near misses.

Whisper writes punctuation and capitals, spells numbers either way and mishears short words; nothing here may
depend on any of that. Hears from: `telephony.messages.Transcribed`. Tells: every recogniser of meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from telephony.facts import Transcribed

_PART = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[.,;:!?…—]")
_CLAUSE = re.compile(r"[.,;:!?…—]")
_APART = re.compile(r"\b(my(?= self)|(?:some|any|every)(?=.body)|some(?=.one)|wi(?=.fi))[ -](self|body|one|fi)\b")
"""Words a recogniser likes to write as two."""
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MONEY = re.compile(r"([$£€])\s?(\d+)(?:\.(\d\d))?")
_CURRENCY = {"$": "dollars", "£": "pounds", "€": "euros"}
"""Recognisers write "$3,000.50" for what was said in words."""
_EXPANSIONS = {
    "won't": "will not", "can't": "can not", "cannot": "can not", "shan't": "shall not", "ain't": "is not",
    "dont": "do not", "cant": "can not", "wont": "will not", "gonna": "going to", "wanna": "want to",
    "gotta": "got to", "im": "i am", "ive": "i have", "anymore": "any more", "yeah": "yes", "yep": "yes",
    "yup": "yes", "ok": "okay", "nope": "no", "nah": "no",
}  # fmt: skip
_IS = frozenset(
    {"it's", "that's", "what's", "there's", "here's", "where's", "who's", "how's", "he's", "she's", "when's"}
)
_SUFFIXES = (("n't", " not"), ("'m", " am"), ("'ve", " have"), ("'ll", " will"), ("'re", " are"), ("'d", " would"))
_NEW_THOUGHT = frozenset({"but", "just", "i", "we", "they", "you", "please", "because", "get", "give", "let", "can"})
NEGATORS = frozenset({"not", "no", "never", "without", "neither", "nor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One comparable word. ``clause`` counts punctuation marks before it; ``start``/``end``: call time [s]."""

    text: str
    clause: int
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Tokens ``first`` to ``last`` (inclusive) that a pattern matched."""

    first: int
    last: int


def tokens(text: str, start: float = 0.0, end: float = 0.0) -> tuple[Token, ...]:
    """Lower-case words, contractions written out, times spread evenly over [``start``, ``end``] by letters."""
    out: list[tuple[str, int, int]] = []
    clause = 0
    lowered = _THOUSANDS.sub("", text.lower().replace("’", "'"))
    lowered = _APART.sub(r"\1\2", lowered)
    lowered = _MONEY.sub(_money, lowered)
    total = max(1, len(lowered))
    for part in _PART.finditer(lowered):
        if _CLAUSE.fullmatch(part[0]):
            if not _inside_number(lowered, part.start()):
                clause += 1
            continue
        out += [(word, clause, part.start()) for word in _expand(part[0])]
    span = end - start
    return tuple(
        Token(text=w, clause=c, start=start + span * at / total, end=start + span * min(total, at + len(w)) / total)
        for w, c, at in out
    )


def spoken(fact: Transcribed) -> tuple[Token, ...]:
    """Tokens of a turn, timed by the recogniser's word times where it gave them."""
    if not fact.words:
        return tokens(fact.text, fact.start, fact.end)
    out: list[Token] = []
    clause = 0
    for start, end, word in fact.words:
        for token in tokens(word):
            out.append(Token(text=token.text, clause=clause, start=start, end=end))
        if _CLAUSE.search(word.rstrip()[-1:]):
            clause += 1
    return tuple(out)


def plain(text: str) -> str:
    """Tokens joined by single spaces."""
    return " ".join(t.text for t in tokens(text))


def find_all(heard: Sequence[Token], phrase: str) -> Iterator[Match]:
    """Places where the words of ``phrase`` follow each other, from the first on.

    Args:
        heard: A turn.
        phrase: Alternatives separated by ``|``. A word may end in ``*`` (stem); ``_`` stands for up to two words.
            Words of six letters or more forgive one slip of the recogniser.
    """
    initials = [t.text[:1] for t in heard]
    # A turn is held against 500 phrases: most of them begin with a letter that no word of it has.
    likely = [a for a in _alternatives(phrase) if not a[0] or a[0] in initials]
    if not likely:
        return
    for first, letter in enumerate(initials):
        for initial, parts in likely:
            if initial and initial != letter:
                continue
            last = _match_at(heard, first, parts)
            if last is not None:
                yield Match(first=first, last=last)


def find(heard: Sequence[Token], phrase: str) -> Match | None:
    """First of `find_all`."""
    return next(find_all(heard, phrase), None)


def negated(heard: Sequence[Token], first: int, reach: int = 3) -> bool:
    """A negator stands among the ``reach`` tokens before ``first``, and nothing between begins a new thought.

    Recognisers leave out commas, so "it is not working I want a person" is told apart by its "I".
    """
    clause = heard[first].clause
    for k in range(first - 1, max(-1, first - 1 - reach), -1):
        if heard[k].clause != clause or heard[k].text in _NEW_THOUGHT:
            return False
        if heard[k].text in NEGATORS:
            return not (k > 0 and heard[k - 1].text in ("can", "could", "why"))
    return False


@cache
def _alternatives(phrase: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each alternative's words, before them the letter it must begin with, if any: slips spare the first one."""
    parts = (tuple(a.split()) for a in phrase.split("|"))
    return tuple((p[0][:1] if p and p[0] != "_" else "", p) for p in parts)


def _match_at(heard: Sequence[Token], at: int, parts: Sequence[str]) -> int | None:
    if not parts:
        return at - 1
    if parts[0] == "_":
        for skip in range(3):
            last = _match_at(heard, at + skip, parts[1:])
            if last is not None:
                return last
        return None
    if at >= len(heard) or not _same(heard[at].text, parts[0]):
        return None
    return _match_at(heard, at + 1, parts[1:])


def _same(heard: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        stem = pattern[:-1]
        if heard.startswith(stem):
            return True
        cut = heard[: len(stem)]
        return len(stem) >= 6 and cut[:1] == stem[:1] and _one_slip(cut, stem)
    if heard == pattern:
        return True
    if len(pattern) < 6 or abs(len(heard) - len(pattern)) > 1 or heard[:1] != pattern[:1]:
        return False
    return _one_slip(heard, pattern)


def _one_slip(a: str, b: str) -> bool:
    """At most one letter inserted, dropped, changed or swapped with its neighbour."""
    k = 0
    while k < min(len(a), len(b)) and a[k] == b[k]:
        k += 1
    rest_a, rest_b = a[k:], b[k:]
    if rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]:
        return True
    return rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:] and len(rest_a) > 1


def _expand(word: str) -> list[str]:
    if word in _EXPANSIONS:
        return _EXPANSIONS[word].split()
    if word in _IS:
        return [word[:-2], "is"]
    for suffix, full in _SUFFIXES:
        if word.endswith(suffix) and len(word) > len(suffix):
            return [word[: -len(suffix)], *full.split()]
    return [word]


def _money(match: re.Match[str]) -> str:
    cents = f" and {match[3]}" if match[3] and match[3] != "00" else ""
    return f"{match[2]} {_CURRENCY[match[1]]}{cents}"


def _inside_number(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isdigit() and text[at + 1].isdigit()
