"""What a caller hears whom somebody will call back: the number read back, so that a wrong one can be noticed. Pure.

Hears from: `voice.pipeline.speaking`. Tells: the same; the gateway plays it in place of prompt ``nobody_callback``.
"""

from __future__ import annotations

from telephony.sip_headers import number_of
from voice.conversation.numbers import spell

PROMPT = "nobody_callback"
_FEWEST_DIGITS = 3
_GROUP = 3
"""Digits said in one breath: longer runs are not kept in mind (ITU-T E.123 §2 groups numbers for the same reason)."""


def callback_sentence(from_: str, window: str) -> str:
    """With the number in groups; empty where the caller's address is no telephone number.

    Example:
        >>> callback_sentence("sip:+15550100@host", "today")
        'Nobody is free right now. I have noted your number, plus one five five, five zero one, zero zero, \
for a call back today. Goodbye.'
    """
    number = number_of(from_)
    digits = number.removeprefix("+")
    if not digits.isdigit() or len(digits) < _FEWEST_DIGITS:
        return ""
    groups = [spell(digits[i : i + _GROUP]) for i in range(0, len(digits), _GROUP)]
    if len(groups) > 1 and len(digits) % _GROUP == 1:
        groups[-2:] = [" ".join(groups[-2:])]
    spoken = ("plus " if number != digits else "") + ", ".join(groups)
    return f"Nobody is free right now. I have noted your number, {spoken}, for a call back {window}. Goodbye."
