"""What the human's spoken answer to screening and briefing means. Words only, and cautious.

A wrong "accept" plays a caller's data to a stranger or joins two people unasked, so anything that may be an answering
machine, a hesitation or a contradiction is "other". Hears from: the recogniser of the human leg.
"""

from __future__ import annotations

from typing import Literal

from voice.conversation.words import find, tokens
from voice.handoff.questions import asks_for_detail

Consent = Literal["accept", "decline", "repeat", "other"]

_MACHINE = (
    "leave _ message", "after the tone", "after the beep", "at the tone", "voicemail", "voice mail", "mailbox",
    "you have reached", "is not available", "are not available", "unavailable", "office hours", "record your",
    "your call is important", "please hold", "the number you",
)  # fmt: skip
_WAIT = ("one moment", "one second", "one minute", "just a", "hold on", "hang on", "wait")
_DECLINE = (
    "not now", "not able", "can not", "could not", "do not", "unable", "no", "nope", "two", "2", "decline", "busy",
    "another time", "not possible", "rather not", "sorry not", "will not", "somebody else", "someone else",
)  # fmt: skip
_ACCEPT = (
    "yes", "sure", "one", "1", "okay", "accept", "go ahead", "put them through", "put her through", "put him through",
    "put _ through", "i will take it", "i can take", "take the call", "connect", "of course", "certainly", "please do",
    "all right", "alright", "fine", "ready", "absolutely", "go on",
)  # fmt: skip
_REPEAT = ("repeat", "say _ again", "once more", "again", "three", "3", "pardon", "come again", "what was that")
_HARMLESS_NO = ("no problem", "no worries", "not a problem", "do not mind", "no objection", "no trouble")
_LONGEST_ACCEPT = 12
"""Words. Nobody says yes in a longer sentence than this; announcements do."""


def interpret(text: str) -> Consent:
    """Meaning of one turn of the human.

    >>> interpret("Yes, put her through.")
    'accept'
    >>> interpret("You have reached Yes Telecom, please leave a message after the tone.")
    'other'
    """
    heard = tokens(text)
    if not heard or any(find(heard, p) for p in _MACHINE) or asks_for_detail(heard):
        return "other"
    if any(find(heard, p) for p in _HARMLESS_NO):
        return "accept" if len(heard) <= _LONGEST_ACCEPT else "other"
    declines = any(find(heard, p) for p in _DECLINE)
    if declines and not (heard[0].text == "no" and len(heard) > 1 and heard[1].text == "one"):
        return "decline"
    if any(find(heard, p) for p in _REPEAT) or heard[0].text in ("what", "sorry") and len(heard) <= 2:
        return "repeat"
    if any(find(heard, p) for p in _WAIT):
        return "other"
    if declines or len(heard) > _LONGEST_ACCEPT or "but" in {t.text for t in heard}:
        return "other"
    return "accept" if any(find(heard, p) for p in _ACCEPT) else "other"
