"""The first sentence of a call: a machine answers, what is recorded and analysed, how to refuse each. Pure.

EU AI Act Art. 50(1) (a machine) and 50(3) (emotion recognition) ask for it; ours lasts at most 8 s and cannot be
switched off. Only a key cuts it. The worker renders it as fast as those 8 s need: 25 words are then 190 words a minute,
inside the 150-200 that listeners find comfortable.
"""

from __future__ import annotations

from telephony.settings import Privacy

MAX_WORDS = 25


def disclosure(privacy: Privacy) -> str:
    """The sentence for what this installation does, at most `MAX_WORDS` words, digits counted as words."""
    if privacy.record and privacy.analyse_emotion:
        return (
            "I'm an automated assistant. I record this call unless you press 8, "
            "and analyse your mood to help sooner unless 9. 0 for a person."
        )
    if privacy.record:
        return "I'm an automated assistant. I record this call unless you press 8. Press 0 for a person."
    if privacy.analyse_emotion:
        return (
            "I'm an automated assistant. I analyse your mood to help sooner unless you press 9. Press 0 for a person."
        )
    return "I'm an automated assistant. This call is not recorded. Press 0 for a person."
