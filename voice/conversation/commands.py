"""What the conversation asks its worker to do.

Hears from: nobody. Tells: `voice.conversation.call`, `voice.pipeline`. Hanging up is `telephony.messages.HangUp`.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.commands import HangUp
from telephony.facts import Decision, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Speak to the caller, after everything said before. ``keep`` = not to be cut by speech."""

    text: str
    rate_wpm: float
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHuman:
    """Tell the human, and nobody else, a detail that was asked for."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """Give a fact to the gateway. It takes effect when it comes back committed, not before."""

    fact: Fact
    decision: Decision | None = None


Action = Say | AnswerHuman | Emit | HangUp
