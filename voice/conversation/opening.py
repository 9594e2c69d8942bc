"""What a turn means while nothing is asked: a matter, an article, a complaint about an answer, goodbye. Pure.

Another matter may also take over an open one. Hears from: `voice.conversation.dialogue`. Tells: the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.facts import Transcribed
from voice.conversation import answers, asides
from voice.conversation.intents import Guess, article, best_article, named, recognise, recognise_all
from voice.conversation.reading import CORRECTS, Reading
from voice.conversation.reply import Reply
from voice.conversation.words import Token

_SWITCH = 1.2
"""Score from which another matter takes over while one is open: more than `voice.conversation.intents.ENOUGH`."""


@dataclass(slots=True)
class Opening(Reading):
    """Begins matters."""

    def _open(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        guesses, complains = recognise_all(turn, self.playbook), asides.complains(turn)
        if not guesses and self.phase == "open" and self.misunderstood and (short := named(turn, self.playbook)):
            guesses = [short]
        about_answer = self.answered is not None and self.phase in ("else", "closing")
        same = bool(guesses) and guesses[0].intent is self.answered
        score, fact_known = best_article(turn, self.playbook)
        if guesses and fact_known and asides.is_question(turn) and score >= guesses[0].score:
            guesses = []
        if guesses and not (about_answer and same and complains and not self.matter.is_new(turn, fact)):
            if not self._correction(turn, guesses[0]):
                return self._start(guesses, turn, fact, reply, upset)
        if self.matter.intent and self._take(self.matter.correct(turn, fact), reply):
            return self._go_on(reply, upset)
        if known := article(turn, self.playbook):
            return self.tell(known, reply, upset)
        if about_answer and complains:
            return self._follow_up(reply, upset)
        if small := self._small_answer(turn, reply, upset):
            return small
        if self.phase in ("open", "else") and not about_answer and (guess := self._misheard(turn, fact)):
            return self.ask_about(guess, reply, upset)
        return self._unknown(turn, reply, upset, about_answer, complains)

    def _small_answer(self, turn: tuple[Token, ...], reply: Reply, upset: bool) -> Reply | None:
        """Goodbye, nothing more, hello, yes, thanks."""
        asked_else = self.phase in ("else", "closing")
        if asides.has_more(turn) or (asked_else and answers.yes_or_no(turn) == "yes" and len(turn) <= 4):
            if not answers.is_done(turn):
                return self._ask("open", self._phrase("go_ahead", upset), reply)
        if answers.says_goodbye(turn) or (asked_else and (answers.is_done(turn) or answers.says_thanks(turn))):
            return self._close(reply, upset)
        if answers.is_greeting(turn):
            return self._ask("open", self._phrase("greeting", upset), reply)
        if answers.says_thanks(turn):
            return self._ask("else", self._phrase("anything_else", upset), reply)
        return None

    def _unknown(
        self, turn: tuple[Token, ...], reply: Reply, upset: bool, about_answer: bool, complains: bool
    ) -> Reply:
        """Nothing of the playbook: said honestly, and an upset caller is never asked to say it all again."""
        if asides.is_question(turn):
            return self._missed(reply, upset, self._phrase("sorry_no_answer", upset))
        if upset and about_answer:
            return self._follow_up(reply, upset)
        if complains and not self.misunderstood:
            self.without_progress += 1
            return self._stuck(reply, upset) or self._ask("open", self._phrase("heard_open", upset), reply)
        return self._missed(reply, upset)

    def _correction(self, turn: tuple[Token, ...], guess: Guess) -> bool:
        """Saying "no, the order number is 4591" names the matter that is open: a detail changes, not the matter."""
        intent = self.matter.intent
        return (
            intent is not None and guess.intent.name == intent.name and self.phase == "else"
            and turn[0].text in CORRECTS
        )  # fmt: skip

    def _switch(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply | None:
        """Another matter, clearly said, takes over the open one."""
        guess = recognise(turn, self.playbook)
        if guess is None or guess.score < _SWITCH or guess.intent is self.matter.intent:
            return None
        return self._start([guess], turn, fact, reply, upset)
