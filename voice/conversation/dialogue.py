"""What a turn of the caller means, by what was asked. Pure; requests and danger are looked for before this.

    open → (slot → confirm)* → action → else → closing        offer: from anywhere, back to where it was
     └ meant ┘                           └ complaint → check → else

Hears from: `voice.conversation.call`, one turn of the caller at a time. Tells: the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.facts import CardTyped, Transcribed
from voice.conversation import answers, asides
from voice.conversation.commands import Emit
from voice.conversation.doubt import best, is_doubtful
from voice.conversation.intents import article, recognise
from voice.conversation.opening import Opening
from voice.conversation.reading import NOT_KNOWN
from voice.conversation.reply import Reply
from voice.conversation.slots import Found
from voice.conversation.talk import recognised
from voice.conversation.words import Token, find, spoken

_REFUSALS = 2
"""Wrong values of one detail until it is left to a colleague: the line or the recogniser cannot carry it."""


@dataclass(slots=True)
class Dialogue(Opening):
    """Answers the caller's turns; which words to go by is `Reading`'s, what opens a matter `Opening`'s."""

    def hear(self, fact: Transcribed, *, upset: bool) -> Reply:
        """The answer to one turn of the caller."""
        if self.phase != "offer" and self._requests(fact):
            return self.make_offer("stuck", upset=upset, phrase="offer_request")
        fact, guessed = best(fact, self._wanted(fact))
        turn, reply = spoken(fact), Reply()
        self.matter.doubted = guessed or is_doubtful(fact)
        if not turn:
            # Speech nobody could read. Words that are none ("...") are nothing to answer.
            return reply if fact.text else self._unheard(fact, reply, upset)
        unheard, self.unheard = self.unheard, False
        if answers.wants_repeat(turn):
            return reply.say(self.last or self._phrase("repeat_nothing", upset))
        if self.phase != "offer" and answers.wants_time(turn):
            reply.waits = True
            return reply.say(self._phrase("wait", upset))
        if aside := self._aside(turn, upset):
            return reply.say(aside, self.question)
        if unheard and self.phase in ("confirm", "action", "offer", "check") and len(turn) <= 3:
            return reply.say(self.question)
        before, calm_so_far = self.phase, not self._hinted
        meant = self._about(turn) if guessed and self.phase in ("open", "else", "closing") else None
        reply = self.ask_about(meant, reply, upset) if meant else self._phase(turn, fact, reply, upset)
        # An upset caller hears of a person early, but in no turn more than two sentences besides the answer.
        if upset and calm_so_far and not self._hinted and before != "offer" and len(reply.parts) == 1:
            if self.phase not in ("offer", "closing", "check"):
                self._hinted = True
                reply.parts.insert(0, self._phrase("person_hint", upset))
        self.last = reply.text or self.last
        return reply

    def keyed(self, digits: str, start: float, end: float, *, upset: bool) -> Reply:
        """A number typed on the keypad: certain, so not read back."""
        reply, slot = Reply(), self.matter.slot
        if slot is None or self.matter.asking is None or not slot.min <= len(digits) <= slot.max:
            return self._missed(reply, upset)
        found = Found(value=digits, confidence=1.0, start=start, end=end)
        reply.facts.append(Emit(fact=self.matter.put(self.matter.asking, found, confirmed=True)))
        return self._go_on(reply, upset)

    def card(self, fact: CardTyped, *, upset: bool) -> Reply:
        """A payment card was typed: only its last four digits ever get here."""
        reply = Reply()
        if fact.slot != self.matter.asking:
            return reply
        if not fact.valid:
            return self._missed(reply, upset, self._phrase("card_again", upset))
        found = Found(value=fact.last4, confidence=1.0, start=fact.start, end=fact.end)
        reply.facts.append(Emit(fact=self.matter.put(fact.slot, found, confirmed=True)))
        return self._go_on(reply, upset)

    def note(self, fact: Transcribed, turn: tuple[Token, ...]) -> list[Emit]:
        """Takes in what the caller said when the answer will be an offer: nobody should have to say it twice."""
        reply = Reply()
        guess = recognise(turn, self.playbook)
        if guess is not None and guess.intent is not self.matter.intent:
            self.matter.start(guess.intent)
            self.phase = "slot"
            reply.facts.append(recognised(guess))
        self._take(self.matter.take(turn, fact), reply)
        return reply.facts

    def _unheard(self, fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        """Somebody spoke, and nobody could read it: asked again; the first time with the reason, if noise is it."""
        again = self._again(upset)
        if fact.refused == "noise" and not self.misunderstood:
            reply.say(self._phrase("noisy", upset))
            again = self._phrase("noisy_again", upset) if self.phase in ("open", "else", "closing") else again
        return self._missed(reply, upset, again)

    def _aside(self, turn: tuple[Token, ...], upset: bool) -> str:
        """Answer to a question about the agent itself."""
        if answers.machine_question(turn):
            return self._phrase("machine", upset)
        if answers.asks_about_privacy(turn):
            return self.refusals
        small = asides.small_talk(turn) and recognise(turn, self.playbook) is None
        return self._phrase("small_talk", upset) if small else ""

    def _phase(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        match self.phase:
            case "offer":
                return self._offered(turn, fact, reply, upset)
            case "meant":
                return self._meant(turn, fact, reply, upset)
            case "confirm":
                return self._confirm(turn, fact, reply, upset)
            case "action":
                return self._action(turn, fact, reply, upset)
            case "check":
                return self._check(turn, fact, reply, upset)
            case "slot":
                return self._slot(turn, fact, reply, upset)
            case _:
                return self._open(turn, fact, reply, upset)

    def _offered(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        overtaken = self.offer.reason != "distress" and self._brings_news(turn, fact)
        outcome = self.offer.answered(turn, fact, reply, overtaken=overtaken)
        if outcome == "again":
            return self._ask("offer", self._phrase("offer_unclear", upset), reply)
        if outcome == "accepted":
            self.hand_over()
            return reply
        self.phase = self.offer.before
        self.misunderstood = self.without_progress = 0
        if outcome == "overtaken":
            return self._phase(turn, fact, reply, upset)
        return self._ask(self.phase, self._open_question(upset), reply, self._phrase("offer_declined", upset))

    def _brings_news(self, turn: tuple[Token, ...], fact: Transcribed) -> bool:
        """The caller goes on with the matter instead of answering the offer."""
        guess = recognise(turn, self.playbook)
        if guess is not None and (self.matter.intent is None or guess.intent is not self.answered):
            return True
        return self.offer.before == "slot" and self.matter.could_take(turn, fact)

    def _meant(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        """Answer to "is it about …?": only a yes begins that matter; whatever else is said is heard for itself."""
        guess, self.meant = self.meant, None
        if guess is not None and answers.yes_or_no(turn) == "yes":
            return self._start([guess], (), fact, reply, upset)
        self.phase = "open"
        if answers.yes_or_no(turn) == "no" and recognise(turn, self.playbook) is None:
            return self._missed(reply, upset)
        return self._open(turn, fact, reply, upset)

    def _confirm(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        if self._take(self.matter.correct(turn, fact), reply):
            return self._go_on(reply, upset)
        answer = answers.yes_or_no(turn)
        if answer == "no":
            self.without_progress += 1
            if self.matter.refuse_value() > _REFUSALS:
                return self._without(reply, upset)
            self.misunderstood, self.phase = 0, "slot"
            return self._stuck(reply, upset) or self._ask("slot", self._again(upset), reply)
        name = self.matter.asking
        if name in self.matter.values and (answer == "yes" or self.matter.says_again(turn, fact)):
            self.matter.values[name].confirmed = True
            return self._go_on(reply, upset)
        return self._switch(turn, fact, reply, upset) or self._heard_out(turn, reply, upset, self.question)

    def _action(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        answer, intent = answers.yes_or_no(turn), self.matter.intent
        if answer == "yes":
            self.matter.agreed = True
            return self._go_on(reply, upset)
        if self._take(self.matter.correct(turn, fact), reply):
            return self._go_on(reply, upset)
        if switched := self._switch(turn, fact, reply, upset):
            return switched
        if answer == "no" and intent is not None:
            self.matter.done.append(f"offered {intent.title}, refused")
            return self._next(reply.say(intent.not_done or self._phrase("offer_declined", upset)), upset)
        return self._heard_out(turn, reply, upset, self.question)

    def _check(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        """Answer to the remedy that was offered for a complaint."""
        answer, intent = answers.yes_or_no(turn), self.answered
        if answer == "yes" and intent and intent.followup:
            self.matter.done.append(intent.followup.note)
            return self._next(reply.say(self.matter.fill(intent.followup.done)), upset)
        if answer == "no" and not asides.complains(turn):
            return self._next(reply.say(self._phrase("offer_declined", upset)), upset)
        if switched := self._switch(turn, fact, reply, upset):
            return switched
        return self._follow_up(reply, upset) if asides.complains(turn) else self._missed(reply, upset, self.question)

    def _slot(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        if self._take(self.matter.take(turn, fact), reply):
            return self._go_on(reply, upset)
        match self.matter.more_digits(turn):
            case "more":
                return reply.say("Yes.")
            case "again":
                return self._missed(reply, upset, self._again(upset))
        if switched := self._switch(turn, fact, reply, upset):
            return switched
        if find(turn, NOT_KNOWN):
            return self._without(reply, upset)
        if answers.says_goodbye(turn):
            return self._close(reply, upset)
        if known := article(turn, self.playbook):
            self.misunderstood = 0
            return reply.say(known.answer, self.question)
        if answers.says_thanks(turn) or (answers.yes_or_no(turn) == "yes" and len(turn) <= 3):
            return reply.say(self.question)
        return self._heard_out(turn, reply, upset, self._again(upset))

    def _heard_out(self, turn: tuple[Token, ...], reply: Reply, upset: bool, again: str) -> Reply:
        """No answer to the question: a complaint is acknowledged before the question comes once more."""
        if asides.complains(turn) and not self.misunderstood:
            self.without_progress += 1
            if upset and self.without_progress > 1:
                # Heard once is enough: the same question again would be a wall to somebody who is upset.
                return reply.then(self.make_offer("stuck", upset=upset))
            return self._stuck(reply, upset) or reply.say(self._phrase("heard", upset), self.question)
        return self._missed(reply, upset, again)
