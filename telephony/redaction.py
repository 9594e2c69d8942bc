"""What goes to the disk of a call whose words are not kept: everything but what anybody said.

The words stay in memory while the call lives, because the reply, a second worker and the spoken briefing need them.
Times, levels, states and the agent's fixed prompts stay in the file: a call can still be replayed, without its words.

Hears from: a call's log. Tells: the same. Pure.
"""

from __future__ import annotations

from dataclasses import replace

from telephony.facts import (
    BargedIn,
    Because,
    BriefingBuilt,
    CallerVerified,
    CardTyped,
    ConsentHeard,
    Decision,
    DistressChanged,
    Fact,
    MatterRemembered,
    Said,
    SlotFilled,
    Transcribed,
)

_QUOTES = frozenset({"said", "text"})


def without_words(fact: Fact) -> Fact:
    """The fact as it may be kept. What carries no words comes back as it is."""
    match fact:
        case Transcribed():
            return replace(fact, text="", words=(), alternatives=())
        case SlotFilled():
            return replace(fact, value="")
        case CardTyped():
            return replace(fact, last4="")
        case CallerVerified() | MatterRemembered():
            return replace(fact, identity="")
        case ConsentHeard():
            return replace(fact, text="")
        case BargedIn():
            return replace(fact, heard_text="")
        case Said(prompt="" | "briefing" | "answer" | "nobody_callback"):
            # The agent reads details back; its fixed prompts name nothing of a caller.
            return replace(fact, text="")
        case BriefingBuilt():
            return replace(fact, text="", fields={})
        case DistressChanged():
            return replace(fact, because=tuple(_nameless(b) for b in fact.because))
        case _:
            return fact


def decision_without_words(decision: Decision) -> Decision:
    """Numbers, names and versions stay. A text of several words may be a quote, whatever its key."""
    kept = {k: "" if k in _QUOTES or (isinstance(v, str) and " " in v) else v for k, v in decision.inputs.items()}
    return replace(decision, inputs=kept)


def _nameless(because: Because) -> Because:
    return replace(because, value="") if because.kind in ("words", "dialogue") else because
