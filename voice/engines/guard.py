"""What of a language model's rewording may be said. Pure.

A sentence has to say what the sentence it replaces says, in words of that sentence or of a short list of harmless ones:
no number, name, promise or address it did not have, no "not" that comes or goes.

Hears from: `voice.engines.replier`. Tells: the same, an objection.
"""

from __future__ import annotations

import re
from collections import Counter

from voice.conversation.style import faults

_LONGER = 1.5
"""A rephrasing may be this much longer than the text it replaces."""
_KEPT = 0.7
"""Share of the original's longer words that a rewording keeps; what a caller talked a model into saying does not."""

_NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million first second "
    "third double triple half quarter".split()
)
_HARMLESS = frozenset(
    "a about all alright also an and any anything are as at be been before but by can check come could did do "
    "does done else first for from get give given go going got had has have hear heard help here how i if in into "
    "is it its just keep know let like look looking make may me more my need needed next now of off okay on once "
    "one or order our out over part please put quite ready really right said say see should so some something "
    "soon still sure take taken tell than thank thanks that the their them then there these they thing things "
    "this those through time to too try up us very want was way we well were what when where which while who will "
    "with would yes yet you your".split()
)
"""Words a rephrasing may bring along: they commit nobody to anything."""
_STEM = 5
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])")
_NEGATIONS = frozenset({"no", "not", "never", "nothing", "nobody", "cannot", "without"})
_HEDGES = frozenset({"should", "may", "might", "could", "about", "usually", "try"})
_MARKUP = re.compile(r"[*_#<>{}\[\]`|]|https?:|www\.|@|\n\s*[-\d]")


def ends(text: str) -> list[str]:
    """Cut at the ends of sentences; the last piece may be unfinished."""
    return _ENDS.split(text)


def sentences(text: str) -> list[str]:
    """Cut where one ends and the next begins with a capital.

    >>> sentences("Order 4519 left at 3.30 p.m. today. Is that all?")
    ['Order 4519 left at 3.30 p.m. today.', 'Is that all?']
    """
    return [s.strip() for s in ends(text) if s.strip()]


def objection(original: str, reworded: str) -> str | None:
    """Why a rephrasing may not be said, or None."""
    if not reworded or not original:
        return "empty" if original else "more than was to be said"
    if len(reworded) > _LONGER * len(original) + 20:
        return "too long"
    if numbers(original) != numbers(reworded):
        return "numbers differ"
    if len(_content(original) & _content(reworded)) < _KEPT * len(_content(original)):
        return "another sentence"
    if _MARKUP.search(reworded):
        return "markup or an address"
    before, after = _words(original), _words(reworded)
    if strange := {w for w in after - before - _HARMLESS if not any(_kin(w, b) for b in before)}:
        return f"new word: {min(strange)}"
    if twice := [
        w for w, n in (_counts(reworded) - _counts(original)).items() if w not in _HARMLESS and n and w in before
    ]:
        return f"said more often: {min(twice)}"
    if bool(before & _NEGATIONS) != bool(after & _NEGATIONS):
        return "a no came or went"
    if before & _HEDGES and not after & _HEDGES:
        return "surer than it is"
    if new := _names(reworded) - before:
        return f"new name: {min(new)}"
    if faults(reworded) and not faults(original):
        return "style"
    if original.rstrip().endswith("?") and "?" not in reworded:
        return "the question is gone"
    return None


def _words(text: str) -> frozenset[str]:
    return frozenset(_counts(text))


def _counts(text: str) -> Counter[str]:
    expanded = text.lower().replace("’", "'").replace("can't", "can not").replace("won't", "will not")
    return Counter(re.findall(r"[a-z]+", expanded.replace("n't", " not")))


def _kin(one: str, other: str) -> bool:
    """Forms of the same word: "arrive", "arriving"; short words have none."""
    return len(one) >= _STEM and len(other) >= _STEM and one[:_STEM] == other[:_STEM]


def _content(text: str) -> frozenset[str]:
    return frozenset(w for w in _words(text) if len(w) >= 4)


def _names(text: str) -> frozenset[str]:
    """Capitalised words that do not begin a sentence: names, places, days."""
    inside = re.findall(r"(?<=[a-z0-9,;:] )([A-Z][a-z]+)", text)
    return frozenset(w.lower() for w in inside)


def numbers(text: str) -> list[str]:
    """Digit runs and number words of a text, in order."""
    words = re.findall(r"\d+|[a-z]+", text.lower())
    return [w for w in words if w.isdigit() or w in _NUMBER_WORDS]
