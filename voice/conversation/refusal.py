"""The caller's spoken refusal of what has no key: that words are kept, that anything is remembered. Pure.

Hears from: tokens. Tells: `voice.conversation.call`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from voice.conversation.words import Token, find, negated

Purpose = Literal["transcription", "memory"]

_PLAIN = "no notes|no nodes|no note"
_SHORT = 6
"""Words of a turn in which "no notes" is no part of a story."""
_NO_NOTES = (
    "not take notes|not take _ notes|stop taking notes|not make notes|not write _ down",
    "not keep _ words|not want you to keep _ words|not note my words", "not transcribe|stop transcrib*|no transcript*",
)  # fmt: skip
_FORGET = "forget me|forget my data|not remember me|not remember this call|not remember my call"


def refused(turn: Sequence[Token]) -> Purpose | None:
    """What the caller forbids, if anything."""
    if (find(turn, _PLAIN) and len(turn) <= _SHORT) or any(find(turn, p) for p in _NO_NOTES):
        return "transcription"
    match = find(turn, _FORGET)
    return "memory" if match is not None and not negated(turn, match.first) else None
