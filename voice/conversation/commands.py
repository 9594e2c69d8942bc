"""What the conversation asks its worker to do.

Hears from: nobody. Tells: `voice.conversation.call`, `voice.pipeline`. Hanging up is `telephony.messages.HangUp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telephony.commands import HangUp
from telephony.facts import Decision, Fact

Kind = Literal["matter", "article", "person"]
"""What a turn can be taken for that the playbook did not recognise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Speak to the caller, after everything said before. ``keep`` = not to be cut by speech."""

    text: str
    rate_wpm: float
    keep: bool = False
    as_is: bool = False
    """Not to be reworded: nobody waits for a model twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHuman:
    """Tell the human, and nobody else, a detail that was asked for."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One item of a list to choose from; ``means`` tells a language model what it is."""

    kind: Kind
    name: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose:
    """Ask the language model what the caller's words mean; its answer comes back as fact `Chosen` of the same span."""

    said: str
    offered: tuple[Choice, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """Give a fact to the gateway. It takes effect when it comes back committed, not before."""

    fact: Fact
    decision: Decision | None = None


Action = Say | AnswerHuman | Choose | Emit | HangUp
