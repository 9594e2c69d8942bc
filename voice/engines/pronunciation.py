"""Names and abbreviations as they are to be said: replaced in the text before it becomes phonemes.

Hears from: the playbook's lexicon. Tells: synthesis. The text in log and captions stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


class Pronunciation:
    """Respells whole words, the longest entry first; capitals count, so "US" is not "us"."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = dict(entries)
        words = sorted(entries, key=len, reverse=True)
        self._pattern = re.compile("|".join(rf"(?<!\w){re.escape(w)}(?!\w)" for w in words)) if words else None

    def __call__(self, text: str) -> str:
        """The text as it is to be said.

        >>> Pronunciation({"kWh": "kilowatt hours"})("You used 300 kWh.")
        'You used 300 kilowatt hours.'
        """
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda m: self._entries[m[0]], text)
