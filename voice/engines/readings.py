"""What a doubtful stretch of speech may have been: the recogniser's other readings, and one that knows what to expect.

A small Whisper on a noisy line writes "They do one" for "eight eight two one", but told that digits stood before, it
writes the digits; told the sentences of the playbook, it writes "I lost my card" rather than "I love my car". Such a
reading is a guess: it never replaces the words on record, and what it changes is confirmed with the caller. Only a
number that was asked for is taken at once, because numbers are read back anyhow.

Hears from: `voice.engines.transcription`. Tells: the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Reading = tuple[str, float]
"""A text and its mean log probability."""

BEFORE = {
    "digits": "Two, seven, zero, four, nine, one, three, eight, six, five.",
    "amount": "Eighty-five dollars. Thirteen pounds. Seventy euros. Fifty cents.",
    "name": "My name is John Smith. Mary Johnson. It's Robert Taylor. The name is Linda Clark.",
    "address": "Sixteen Maple Road. 83 Queen Street. Fifty-five West Avenue. 27 Elm Lane. Four London Road.",
    "date": "Last Wednesday. The eleventh of October. Yesterday. August the second.",
}
"""What is said to stand before, by what was asked for. The digits are in no order that a number is likely to have, so
that an echo of it is seen."""
_SURE_NUMBER = -0.5
"""Mean log probability: digits that were said score -0.1 to -0.45, the echo of the context over noise -0.55."""
_ECHO = re.compile(r"two,? seven,? zero|zero,? four,? nine|nine,? one,? three|three,? eight,? six", re.IGNORECASE)
_LEAD = r"(?:(?:no|yes|sorry|it's|it is|that's)\b[\s,.]*)*"
_NUMBER = re.compile(
    _LEAD + r"(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty|double|triple|\d+)[\s,.\-]*)+",
    re.IGNORECASE,
)
_MOST = 6


def is_number(text: str, log_prob: float) -> bool:
    """A text of nothing but digits that is no echo of the context."""
    return log_prob >= _SURE_NUMBER and _NUMBER.fullmatch(text.strip()) is not None and not _ECHO.search(text)


def readings(plain: Sequence[Reading], told: Sequence[Reading]) -> list[str]:
    """Different texts, the best told one first, then by turns; the same words in other spelling count once."""
    out: dict[str, str] = {}
    queues = [list(told), list(plain)]
    while any(queues) and len(out) < _MOST:
        for queue in queues:
            if queue:
                text = queue.pop(0)[0]
                if key := re.sub(r"[^a-z0-9]+", " ", text.lower()).strip():
                    out.setdefault(key, text)
    return list(out.values())[:_MOST]
