"""What ``9`` erases of a call: every measurement of the caller's voice, and what was concluded from one.

Hears from: a call, recovery. Tells: the same (which facts are replaced by what). Pure.
"""

from __future__ import annotations

from dataclasses import replace

from telephony.facts import Because, BriefingBuilt, DistressChanged, EmotionScored, Erased, ProsodyMeasured
from telephony.messages import Stamped

UNKNOWN = "State unknown"
MEASURED = (ProsodyMeasured, EmotionScored)


def without_voice(stamped: Stamped) -> Stamped | None:
    """What stands in place of this fact once the caller's voice may not be analysed; None: it stays as it is."""
    fact = stamped.fact
    if isinstance(fact, MEASURED):
        return Stamped(seq=stamped.seq, t=stamped.t, fact=Erased(was=type(fact).__name__))
    if isinstance(fact, DistressChanged) and any(b.kind == "voice" for b in fact.because):
        kept = tuple(b for b in fact.because if b.kind != "voice")
        # ``because`` is never empty: the reader is told that there was a reason and that it is gone.
        kept = kept or (Because(kind="key", start=0.0, end=0.0, name="erased", value="9"),)
        return Stamped(seq=stamped.seq, t=stamped.t, fact=replace(fact, because=kept))
    if isinstance(fact, BriefingBuilt) and fact.fields.get("state"):
        return Stamped(seq=stamped.seq, t=stamped.t, fact=_without_mood(fact))
    return None


def _without_mood(fact: BriefingBuilt) -> BriefingBuilt:
    """The briefing keeps who, what and next. How the caller was is gone: its field, and its words in the text.

    What stays has to fit in the line it overwrites (`CallFolder.erase`), so the field keeps no more than it needs.
    """
    told = str(fact.fields["state"].get("text", ""))
    text = fact.text
    # The spoken text leaves out the quote first, where it would be too long (`voice.handoff.briefing`).
    for words in (told, told.split(", said ")[0]):
        if words and words in text:
            text = text.replace(words, UNKNOWN)
            break
    else:
        text = ""
    return replace(fact, text=text, fields={**fact.fields, "state": {"text": UNKNOWN, "evidence": "unknown"}})
