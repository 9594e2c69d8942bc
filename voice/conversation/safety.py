"""Suspicion of danger: one question, and what its answer means. Pure.

Not everybody says it outright. Where several words together speak for danger, or where one reading of a doubtful turn
does, the caller is asked whether they are safe; only the answer brings number and person. An answer nobody can read
counts as no. Hears from: `voice.conversation.acting`. Tells: the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from telephony.facts import Transcribed
from voice.conversation import answers
from voice.conversation.crisis import CrisisWords
from voice.conversation.words import Token, find, tokens

_MOST = 2
"""Questions in a call: who has said twice that they are safe is believed."""
_SAFE = (
    "i am fine|am safe|i am okay|am all right|am alright|am good|just angry|just upset|just tired|just joking|a joke|"
    "figure of speech|not mean it|not mean that|not like that|nothing like that|not in danger|of course i am"
)
_NOT_SAFE = "not safe|not fine|not okay|not really|not sure|not know|not all right|not alright|maybe|hard to say"


@dataclass(slots=True)
class Safety:
    """Whether the question was just asked, and how often."""

    asking: bool = False
    asked: int = 0

    def heard(
        self, fact: Transcribed, turn: Sequence[Token], words: CrisisWords, *, means: bool
    ) -> Literal["ask", "danger", "safe"] | None:
        """What a turn without an outright phrase brings. ``means``: it says something about the caller's matter."""
        if self.asking:
            self.asking = False
            return self._answer(turn, means)
        others = [tokens(text) for text in fact.alternatives]
        suspected = words.suspected(turn) or any(words.heard(o) for o in others)
        if not suspected or self.asked >= _MOST:
            return None
        self.asking, self.asked = True, self.asked + 1
        return "ask"

    def _answer(self, turn: Sequence[Token], means: bool) -> Literal["danger", "safe"] | None:
        if not turn or find(turn, _NOT_SAFE):
            return "danger"
        if find(turn, _SAFE) or answers.yes_or_no(turn) == "yes":
            return "safe"
        return None if means else "danger"
