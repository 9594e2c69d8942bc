"""The question whether a colleague may be brought in, and its answer. Pure.

A distressed caller often answers with more of the matter: asked once more, then taken for a yes, because they were told
and can say "never mind" on hold. A calm one is never handed off by silence or by chance: an offer made because the
agent is stuck falls away when it is not clearly accepted, and at once when the caller goes on with the matter.
Hears from: `voice.conversation.dialogue`. Tells: the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telephony.facts import Decision, HandoffAnswered, HandoffOffered, Reason, Transcribed
from voice.conversation import answers
from voice.conversation.commands import Emit
from voice.conversation.matter import Phase
from voice.conversation.reply import Reply
from voice.conversation.words import Token
from voice.playbooks.schema import Playbook

Outcome = Literal["accepted", "declined", "overtaken", "again"]
_ASKED = 2
"""Unclear answers until the offer counts as accepted (distress) or falls away."""


@dataclass(slots=True)
class Offer:
    """An offer and the place in the talk it interrupted."""

    playbook: Playbook
    before: Phase = "open"
    reason: Reason = "stuck"
    _unclear: int = 0

    def make(
        self, reason: Reason, inputs: dict[str, object], *, upset: bool, phrase: str = ""
    ) -> tuple[str, Emit]:  # fmt: skip
        """The question and its fact."""
        self._unclear, self.reason = 0, reason
        name = phrase or ("offer_distress" if reason == "distress" else "offer_stuck")
        decision = Decision(rule=f"offer.{reason}", inputs={"reason": reason, "phrase": name, **inputs})
        return self.playbook.phrase(name, upset=upset), Emit(fact=HandoffOffered(reason=reason), decision=decision)

    def answered(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, *, overtaken: bool) -> Outcome:
        """Takes the caller's answer; its fact, if it is one, goes into ``reply``."""
        answer = answers.yes_or_no(turn)
        if answer == "unclear" and answers.asks_for_help(turn):
            answer = "yes"
        rule = "offer.answered"
        if answer == "unclear" and overtaken:
            rule = "offer.overtaken"
        elif answer == "unclear":
            self._unclear += 1
            if self._unclear < _ASKED:
                return "again"
            rule = "offer.unclear-twice"
        accepted = answer == "yes" or (rule == "offer.unclear-twice" and self.reason == "distress")
        decision = Decision(rule=rule, inputs={"said": fact.text, "start": fact.start, "end": fact.end})
        reply.facts.append(Emit(fact=HandoffAnswered(accepted=accepted), decision=decision))
        if rule == "offer.overtaken":
            return "overtaken"
        return "accepted" if accepted else "declined"
