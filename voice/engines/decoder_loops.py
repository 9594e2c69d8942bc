"""A decoder that says the same over and over, cut. Pure.

Hears from: `voice.engines.transcription`. Tells: the same.
"""

from __future__ import annotations

import re

_DIGIT_WORDS = frozenset("zero oh one two three four five six seven eight nine 0 1 2 3 4 5 6 7 8 9".split())


def without_loop(text: str) -> str:
    """Cuts a text that says the same run of words three times in a row, as a looping decoder does.

    >>> without_loop("I want it. I want it. I want it.")
    'I want it.'
    >>> without_loop("17, 17, 17, 17")
    '17,'
    >>> without_loop("Nine, one, nine, one, nine, one.")
    'Nine, one, nine, one, nine, one.'
    """
    words = text.split()
    keys = [re.sub(r"\W", "", w).lower() for w in words]
    # A single word said three times is ordinary ("no no no"), three equal digits are a number; "17, 17, 17" is neither.
    for size in range(1, len(words) // 3 + 1):
        for at in range(len(words) - 3 * size + 1):
            run = keys[at : at + size]
            again, third = keys[at + size : at + 2 * size], keys[at + 2 * size : at + 3 * size]
            # Numbers like 919191 are said; a decoder that loops goes on.
            number = _DIGIT_WORDS.issuperset(run) and keys[at : at + 5 * size] != run * 5
            if run == again == third and not number and (len(set(run)) > 1 or (run[0].isdigit() and len(run[0]) > 1)):
                return " ".join(words[: at + size])
    return text
