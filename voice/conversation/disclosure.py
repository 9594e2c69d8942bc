"""What callers are told about themselves: a machine answers, what is kept and analysed, how to refuse each. Pure.

EU AI Act Art. 50(1) (a machine) and 50(3) (emotion recognition) ask for the first sentence; ours lasts at most 8 s and
cannot be switched off. Only a key cuts it. The worker renders it as fast as those 8 s need: 25 words are then 190 words
a minute, inside the 150-200 that listeners find comfortable.
"""

from __future__ import annotations

from telephony.settings import Privacy

MAX_WORDS = 25


def disclosure(privacy: Privacy) -> str:
    """The sentence for what this installation does, at most `MAX_WORDS` words, digits counted as words."""
    kept = _kept(privacy)
    if not privacy.analyse_emotion:
        return f"I'm an automated assistant. {kept or 'This call is not recorded'}. Press 0 for a person."
    if not kept:
        return (
            "I'm an automated assistant. I analyse your mood to help sooner unless you press 9. Press 0 for a person."
        )
    if not privacy.record:
        # "Unless 9" needs the "press" of the 8 before it, which is not said here.
        return (
            "Automated assistant here. I note words unless you say no notes, "
            "and analyse mood to help sooner unless you press 9. 0 for a person."
        )
    return f"I'm an automated assistant. {kept}, and analyse your mood to help sooner unless 9. 0 for a person."


def _kept(privacy: Privacy) -> str:
    if privacy.record:
        return f"I record {'this call' if privacy.transcribe else 'sound'} unless you press 8"
    return "I note your words unless you say no notes" if privacy.transcribe else ""


def refusals(privacy: Privacy) -> str:
    """Answer to "what do you do with my data": how to refuse what is on, nothing else."""
    ways = []
    if privacy.record:
        ways.append("Press 8 to stop the recording.")
    if privacy.analyse_emotion:
        ways.append("Press 9 to stop the mood analysis.")
    if privacy.transcribe:
        ways.append("Say no notes, and I keep no words.")
    if privacy.remember:
        ways.append("Say forget me, and I remember nothing for next time.")
    if not ways:
        return "Nothing of this call is recorded or analysed."
    return " ".join([*ways, "You get the same service after."])


def recording_off(privacy: Privacy) -> str:
    """After key 8: honest about what stays."""
    if privacy.transcribe:
        return "Recording is off and erased. I still note the words, unless you say no notes."
    return "Recording is off and erased. Nothing else changes."
