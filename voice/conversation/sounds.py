"""Words that sound alike over a telephone, for what a recogniser wrote instead of what was said. Pure.

The band ends at 3400 Hz, so voiced and unvoiced sounds, fricatives and nasals are taken for each other, and vowels for
any other vowel. What is found so is a guess: the caller is asked before anything rests on it.
Hears from: words. Tells: `voice.conversation.intents`, `voice.conversation.request`.
"""

from __future__ import annotations

import re
from functools import cache

_SPELLINGS = (
    (r"(?:t|c|s)i(?=[aou])", "x"), (r"tch|[sc]h|j|dg(?=e)", "x"), (r"ph", "f"), (r"gh|\bk(?=n)|\bw(?=r)", ""),
    (r"c(?=[eiy])", "s"), (r"ck|q|c", "k"),
)  # fmt: skip
_MERGED = str.maketrans("bdvzgm", "ptfskn")
_LEAST = 2
"""Consonants two words must share; fewer say nothing."""
_FAR = 0.5
"""Share of letters that may differ: "build" and "billed" do in half, "please" and "bills" in four of five."""


@cache
def skeleton(word: str) -> str:
    """Its consonants as the telephone leaves them.

    >>> skeleton("build"), skeleton("billed"), skeleton("opening"), skeleton("hoping")
    ('plt', 'plt', 'apnnk', 'apnk')
    """
    for spelling, sound in _SPELLINGS:
        word = re.sub(spelling, sound, word)
    word = re.sub(r"(.)\1+", r"\1", word.translate(_MERGED).lstrip("h"))
    first = "a" if word[:1] in tuple("aeiouy") else ""
    return first + re.sub(r"[aeiouyhw']", "", word)


@cache
def alike(heard: str, meant: str) -> bool:
    """What was heard may be that word.

    >>> alike("build", "billed"), alike("partial", "parcel"), alike("please", "bills"), alike("pill", "bill")
    (True, True, False, True)
    """
    if heard == meant or min(len(heard), len(meant)) < 4:
        return heard == meant
    a, b = skeleton(heard), skeleton(meant)
    if min(len(a), len(b)) < _LEAST:
        return False
    close = 1 if min(len(a), len(b)) >= 4 else 0
    return _edits(a, b) <= close and _edits(heard, meant) <= _FAR * max(len(heard), len(meant))


def _edits(a: str, b: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
