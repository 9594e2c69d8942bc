"""What to go by when the recogniser is not sure of its words. Pure.

The words on record count as long as they mean anything here. Only if they do not, another reading that does is taken,
and then nothing rests on it before the caller has agreed: a detail is read back, a matter is asked about.
Hears from: `voice.conversation.dialogue`. Tells: the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from telephony.facts import Transcribed
from voice.conversation.words import spoken

DOUBTFUL = -0.6
"""Mean log probability below which even a clear word is read back: at 10 dB half the turns, in quiet 4 % of them."""


def best(fact: Transcribed, means: Callable[[Transcribed], bool]) -> tuple[Transcribed, bool]:
    """The reading to go by, and whether it is another than the one on record."""
    for text in (fact.text, *fact.alternatives):
        reading = fact if text == fact.text else replace(fact, text=text, words=())
        if spoken(reading) and means(reading):
            return reading, reading is not fact
    return fact, False


def is_doubtful(fact: Transcribed) -> bool:
    return fact.log_prob is not None and fact.log_prob < DOUBTFUL


def addressed(title: str) -> str:
    """A title written for the briefing, said to the caller: "a bill they dispute" becomes "a bill you dispute"."""
    return re.sub(r"\bthey\b", "you", re.sub(r"\btheir\b", "your", title))
