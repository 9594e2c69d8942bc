"""Which of the recogniser's readings to go by, and whether it says anything here. Pure.

The words on record count as long as they answer what was asked. Where they do not, another reading may, or the sound
of the words; what comes of a guess is asked about or read back (`voice.conversation.doubt`).
Hears from: `voice.conversation.dialogue`. Tells: the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from telephony.facts import Transcribed
from voice.conversation import answers, asides
from voice.conversation.intents import Guess, article, misheard, named, recognise
from voice.conversation.request import asks_for_person
from voice.conversation.talk import Talk
from voice.conversation.words import Token, find, spoken, tokens

NOT_KNOWN = (
    "do not know|do not have it|do not have one|do not have that|do not have _ number|can not find|no idea|"
    "lost it|lost the|do not remember|forgot it|not got it|do not have the"
)
_AGREE = 2
"""Readings that ask for a person before it is as good as said."""
_CORRECTION = 3
"""Words from which "no, …" says what is right instead."""
CORRECTS = frozenset({"no", "not", "sorry", "actually", "wait", "wrong"})


@dataclass(slots=True)
class Reading(Talk):
    """Reads a turn of the caller."""

    def _wanted(self, fact: Transcribed) -> Callable[[Transcribed], bool]:
        """What a reading must hold to be believed."""
        turn = spoken(fact)
        if self.phase == "confirm" and len(turn) >= _CORRECTION and turn[0].text in CORRECTS:
            return lambda reading: self.matter.could_correct(spoken(reading), reading)
        if self.phase in ("open", "meant") and self.answered is None and asides.complains(turn):
            # A complaint about nothing yet: another reading may say what about.
            return self.speaks_of_matter
        return self._means

    def _means(self, fact: Transcribed) -> bool:
        """The words say something that can be answered here."""
        turn = spoken(fact)
        if find(turn, NOT_KNOWN) or answers.says_something(turn) or asides.says_something(turn):
            return True
        if self.phase in ("confirm", "action", "check", "offer", "meant") and answers.yes_or_no(turn) != "unclear":
            return True
        if self.phase == "confirm" and (self.matter.says_again(turn, fact) or self.matter.is_correction(turn, fact)):
            return True
        return self.speaks_of_matter(fact)

    def speaks_of_matter(self, fact: Transcribed) -> bool:
        """The turn names a matter, a question of an article, or the detail that is asked for."""
        turn = spoken(fact)
        if self.phase == "slot" and self.matter.could_take(turn, fact):
            return True
        guess = recognise(turn, self.playbook)
        if guess is None and self.misunderstood and self.phase == "open":
            guess = named(turn, self.playbook)
        # "My order number is 771" names the open matter and still does not answer.
        new = guess is not None and not (self.phase == "slot" and guess.intent is self.matter.intent)
        return new or article(turn, self.playbook) is not None

    def asked_for_person(self, fact: Transcribed) -> tuple[Token, ...] | None:
        """Words that mean nothing, of which two other readings ask for a person: as good as said."""
        requests = self._requests(fact)
        return requests[0] if len(requests) >= _AGREE else None

    def _requests(self, fact: Transcribed) -> list[tuple[Token, ...]]:
        """Other readings of words that mean nothing which ask for a person; one is worth a question."""
        turn = spoken(fact)
        if turn and self._means(fact):
            return []
        others = [tokens(text, fact.start, fact.end) for text in fact.alternatives]
        return [other for other in others if asks_for_person(other)]

    def _about(self, turn: tuple[Token, ...]) -> Guess | None:
        """The matter of a reading that is only a guess."""
        guess = recognise(turn, self.playbook)
        return guess if guess is not None and guess.intent is not self.answered else None

    def _misheard(self, turn: tuple[Token, ...], fact: Transcribed) -> Guess | None:
        """The matter by the sound of the words, or of another reading."""
        readings = (turn, *(tokens(text, fact.start, fact.end) for text in fact.alternatives))
        return next((g for r in readings if (g := misheard(r, self.playbook))), None)
