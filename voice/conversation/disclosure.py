"""The first sentence of a call: a machine answers, what is recorded and analysed, how to refuse each. Pure.

EU AI Act Art. 50(1) (a machine) and 50(3) (emotion recognition) ask for it; ours is at most 8 s long, which is 22
words at 165 words a minute, and cannot be switched off. Only a key cuts it.
"""

from __future__ import annotations

from telephony.settings import Privacy

MAX_WORDS = 22


def disclosure(privacy: Privacy) -> str:
    """The sentence for what this installation does, at most `MAX_WORDS` words, digits counted as words."""
    if privacy.record and privacy.analyse_emotion:
        return (
            "Automated assistant, call recorded: press 8 to refuse. "
            "Your voice is analysed for mood, for faster help: 9 to refuse. Person: 0."
        )
    if privacy.record:
        return "This is an automated assistant. This call is recorded: press 8 to refuse. Press 0 for a person."
    if privacy.analyse_emotion:
        return (
            "This is an automated assistant. Your voice is analysed for mood, to help you sooner: "
            "press 9 to refuse. Person: 0."
        )
    return "This is an automated assistant. This call is not recorded. Press 0 for a person."
