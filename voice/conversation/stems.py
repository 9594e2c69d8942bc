"""English words by their stems, and by families that a caller speaks of alike. Pure, rough, fast.

No linguistics: "took" and "taking" must weigh the same, nothing more.
Hears from: tokens, ``data/danger_families.toml``. Tells: `voice.conversation.danger`.
"""

from __future__ import annotations

from functools import cache, lru_cache

from voice.conversation.tables import read_table

_ENDINGS = ("ingly", "edly", "ings", "ness", "ing", "ies", "ied", "ed", "es", "ly", "s")
_DOUBLED = frozenset("bdgmnprt")
_FORMS = {
    "take": "took taken taking", "die": "died dying dead dies", "hang": "hung hanged", "shoot": "shot",
    "bleed": "bled bleeding", "fall": "fell fallen", "break": "broke broken", "hurt": "hurts",
    "go": "gone went goes going", "think": "thought thinking", "write": "wrote written", "feel": "felt",
    "give": "gave given", "say": "said says", "tell": "told", "have": "had has", "be": "is are", "was": "were",
    "been": "been", "drink": "drank drunk", "wake": "woke woken", "beat": "beaten", "bit": "bitten",
    "lie": "lying lies", "tie": "tied", "stand": "stood", "sit": "sat sitting", "lose": "lost", "throw": "threw thrown",
    "keep": "kept", "find": "found", "come": "came", "hold": "held", "cut": "cutting", "hit": "hitting",
    "run": "ran running", "stop": "stopped stopping", "will": "shan shall", "left": "left", "myself": "myself",
}  # fmt: skip
_STEM_OF = {form: stem for stem, forms in _FORMS.items() for form in forms.split()}


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The word without its ending; any number is ``#``.

    >>> [stem(w) for w in ("taken", "stopping", "worries", "4519")]
    ['take', 'stop', 'worry', '#']
    """
    if word in _STEM_OF:
        return _STEM_OF[word]
    if word.isdigit():
        return "#"
    if len(word) == 4 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    if len(word) < 5:
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = _without(word, ending)
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _without(word: str, ending: str) -> str:
    cut = word[: -len(ending)]
    if ending in ("ies", "ied"):
        return f"{cut}y"
    doubled = len(cut) > 3 and cut[-1] == cut[-2] and cut[-1] in _DOUBLED
    return cut[:-1] if doubled and ending in ("ing", "ed") else cut


@lru_cache(maxsize=8192)
def family(stem: str) -> str:
    """The name of its family, or the stem itself.

    >>> [family(stem(w)) for w in ("sister", "pills", "never")]
    ['KIN', 'DRUG', 'never']
    """
    return _families().get(stem, stem)


@cache
def _families() -> dict[str, str]:
    table = read_table("danger_families.toml")
    return {stem(word): name for name, words in table.items() for word in words.split()}
