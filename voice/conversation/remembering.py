"""What outlives a call, if the caller wants it: asked once, at the end, and only of a verified caller. Pure.

Hears from: the call's log. Tells: `voice.conversation.call`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telephony.facts import CallerVerified, ConsentChanged, Decision, Fact, MatterRecalled, MatterRemembered
from voice.conversation import answers
from voice.conversation.commands import Emit
from voice.conversation.words import Token
from voice.playbooks.schema import Intent


@dataclass(slots=True)
class Remembering:
    """``enabled``: the operator allows it at all."""

    enabled: bool
    identity: str = ""
    asking: bool = False
    """The question is open."""
    _settled: bool = False
    _recalled: MatterRecalled | None = None

    def receive(self, fact: Fact) -> None:
        if isinstance(fact, CallerVerified):
            self.identity = fact.identity
        elif isinstance(fact, MatterRecalled):
            self._recalled = fact
        elif isinstance(fact, ConsentChanged) and fact.purpose == "memory":
            self._settled, self.asking = True, False
            self._recalled = None

    def recalled(self) -> MatterRecalled | None:
        """What an earlier call left, to be told once."""
        fact, self._recalled = self._recalled, None
        return fact

    def ask(self, answered: Intent | None) -> bool:
        """Whether this is the moment to ask: the talk is over, and something was settled with a known caller."""
        if not self.enabled or self._settled or self.asking or not self.identity or answered is None:
            return False
        self.asking = True
        return True

    def answer(self, turn: Sequence[Token], answered: Intent | None, rate_wpm: float) -> list[Emit]:
        """The caller's answer; anything but a yes, silence too, is a no."""
        self.asking, self._settled = False, True
        said = answers.yes_or_no(turn) if turn else "no"
        decision = Decision(rule="memory.asked", inputs={"answer": said})
        facts = [Emit(fact=ConsentChanged(purpose="memory", allowed=said == "yes"), decision=decision)]
        if said == "yes" and answered is not None:
            kept = MatterRemembered(
                identity=self.identity, matter=answered.title, promise=answered.promise or "", rate_wpm=rate_wpm
            )
            facts.append(Emit(fact=kept))
        return facts
