"""What to say next: matters, answers, offers and goodbye. Pure; requests and danger are looked for before this.

    open → (slot → confirm)* → action → else → closing        offer: from anywhere, back to where it was

Hears from: `voice.conversation.call`, one turn of the caller at a time. Tells: the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from telephony.messages import (
    IntentRecognised,
    Reason,
    SlotFilled,
    Transcribed,
)
from voice.conversation import answers
from voice.conversation.commands import Emit
from voice.conversation.intents import Guess, article, recognise
from voice.conversation.matter import Matter, Phase
from voice.conversation.offer import Offer
from voice.conversation.reply import Reply
from voice.conversation.slots import Found
from voice.conversation.words import Token, find, spoken
from voice.handoff.policy import is_stuck
from voice.playbooks.schema import Playbook

_SWITCH = 1.2
"""Score from which another matter takes over while one is open: more than `voice.conversation.intents.ENOUGH`."""
_NOT_KNOWN = "do not know|do not have it|do not have one|do not have that|can not find|no idea|lost it|do not remember"


@dataclass(slots=True)
class Dialogue:
    """Where the talk stands. Changed only by what the caller said and by offers."""

    playbook: Playbook
    matter: Matter = field(init=False)
    offer: Offer = field(init=False)
    phase: Phase = "open"
    misunderstood: int = 0
    without_progress: int = 0
    question: str = ""
    last: str = ""
    unheard: bool = False
    _hinted: bool = False
    _acknowledged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.matter = Matter(self.playbook)
        self.offer = Offer(self.playbook)

    def greet(self, *, upset: bool) -> Reply:
        return self._ask("open", self.playbook.phrase("greeting", upset=upset), Reply())

    def hear(self, fact: Transcribed, *, upset: bool) -> Reply:
        """The answer to one turn of the caller."""
        turn, reply = spoken(fact), Reply()
        if not turn:
            return reply
        unheard, self.unheard = self.unheard, False
        if answers.wants_repeat(turn):
            return reply.say(self.last or self.playbook.phrase("repeat_nothing"))
        if self.phase != "offer" and answers.wants_time(turn):
            reply.waits = True
            return reply.say(self.playbook.phrase("wait"))
        if answers.machine_question(turn) or answers.asks_about_privacy(turn):
            name = "machine" if answers.machine_question(turn) else "privacy"
            return reply.say(self.playbook.phrase(name), self.question)
        if unheard and self.phase in ("confirm", "action", "offer") and len(turn) <= 3:
            return reply.say(self.question)
        if upset and not self._hinted and self.phase not in ("offer", "closing"):
            self._hinted = True
            reply = self._phase(turn, fact, reply, upset)
            if self.phase not in ("offer", "closing"):
                reply.parts.insert(max(0, len(reply.parts) - 1), self.playbook.phrase("person_hint"))
        else:
            reply = self._phase(turn, fact, reply, upset)
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

    def make_offer(self, reason: Reason, *, upset: bool) -> Reply:
        """Asks whether a colleague may be brought in."""
        if self.phase != "offer":
            self.offer.before = self.phase
        self._hinted = True
        counts: dict[str, object] = {"misunderstood": self.misunderstood, "without_progress": self.without_progress}
        question, offered = self.offer.make(reason, counts, upset=upset)
        reply = self._ask("offer", question, Reply())
        reply.facts.append(offered)
        self.last = reply.text
        return reply

    def back(self, *, upset: bool) -> Reply:
        """The caller is with the agent again after a handoff that did not happen."""
        if self.phase in ("handed", "offer", "closing"):
            self.phase = self.offer.before if self.offer.before not in ("handed", "offer", "closing") else "open"
        self.misunderstood = self.without_progress = 0
        return self._ask(self.phase, self._open_question(upset), Reply(), self.playbook.phrase("back", upset=upset))

    def hand_over(self) -> None:
        """A handoff begins: nothing is said until it ends."""
        if self.phase not in ("handed", "offer", "closing"):
            self.offer.before = self.phase
        self.phase = "handed"

    def note(self, fact: Transcribed, turn: tuple[Token, ...]) -> list[Emit]:
        """Takes in what the caller said when the answer will be an offer: nobody should have to say it twice."""
        reply = Reply()
        guess = recognise(turn, self.playbook)
        if guess is not None and guess.intent is not self.matter.intent:
            self.matter.start(guess.intent)
            self.phase = "slot"
            reply.facts.append(_recognised(guess))
        self._take(self.matter.take(turn, fact), reply)
        return reply.facts

    def _phase(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        if self.phase == "offer":
            return self._offered(turn, fact, reply, upset)
        if self.phase == "confirm":
            return self._confirm(turn, fact, reply, upset)
        if self.phase == "action":
            return self._action(turn, fact, reply, upset)
        if self.phase == "slot":
            return self._slot(turn, fact, reply, upset)
        return self._open(turn, fact, reply, upset)

    def _offered(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        outcome = self.offer.answered(turn, fact, reply)
        if outcome == "again":
            return self._ask("offer", self.playbook.phrase("offer_unclear", upset=upset), reply)
        if outcome == "accepted":
            self.hand_over()
            return reply
        self.phase = self.offer.before
        self.misunderstood = self.without_progress = 0
        declined = self.playbook.phrase("offer_declined", upset=upset)
        return self._ask(self.phase, self._open_question(upset), reply, declined)

    def _confirm(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        if self._take(self.matter.correct(turn, fact), reply):
            return self._go_on(reply, upset)
        answer = answers.yes_or_no(turn)
        if answer == "no":
            self.matter.refuse_value()
            self.without_progress += 1
            return self._go_on(reply, upset, progress=False)
        name = self.matter.asking
        if answer == "yes" and name in self.matter.values:
            self.matter.values[name].confirmed = True
            return self._go_on(reply, upset)
        return self._switch(turn, reply, upset) or self._missed(reply, upset, self.question)

    def _action(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        answer = answers.yes_or_no(turn)
        if answer == "yes":
            self.matter.agreed = True
            return self._go_on(reply, upset)
        if self._take(self.matter.correct(turn, fact), reply):
            return self._go_on(reply, upset)
        intent = self.matter.intent
        if answer == "no" and intent is not None:
            self.matter.done.append(f"offered {intent.title}, refused")
            said = intent.not_done or self.playbook.phrase("offer_declined")
            return self._ask("else", self.playbook.phrase("anything_else", upset=upset), reply, said)
        return self._switch(turn, reply, upset) or self._missed(reply, upset, self.question)

    def _slot(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        if self._take(self.matter.take(turn, fact), reply):
            return self._go_on(reply, upset)
        if self.matter.more_digits(turn):
            return reply.say("Yes.")
        if switched := self._switch(turn, reply, upset):
            return switched
        if find(turn, _NOT_KNOWN):
            return reply.then(self.make_offer("stuck", upset=upset))
        if answers.says_goodbye(turn):
            return self._close(reply, upset)
        if answers.says_thanks(turn):
            return reply.say(self.question)
        slot = self.matter.slot
        again = self.playbook.phrase("slot_again", upset=upset).format(label=slot.label if slot else "that")
        return self._missed(reply, upset, again)

    def _open(self, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        guess = recognise(turn, self.playbook)
        if guess is not None and not self._correction(turn, guess):
            return self._start(guess, turn, fact, reply, upset)
        if self.matter.intent and self._take(self.matter.correct(turn, fact), reply):
            return self._go_on(reply, upset)
        if known := article(turn, self.playbook):
            self.matter.done.append(f"answered from {known.source}")
            self.misunderstood = self.without_progress = 0
            return self._ask("else", self.playbook.phrase("anything_else", upset=upset), reply, known.answer)
        asked_else = self.phase in ("else", "closing")
        if answers.says_goodbye(turn) or (asked_else and (answers.is_done(turn) or answers.says_thanks(turn))):
            return self._close(reply, upset)
        if answers.is_greeting(turn) or (asked_else and answers.yes_or_no(turn) == "yes" and len(turn) <= 4):
            return self._ask("open", self.playbook.phrase("greeting", upset=upset), reply)
        if answers.says_thanks(turn):
            return self._ask("else", self.playbook.phrase("anything_else", upset=upset), reply)
        return self._missed(reply, upset)

    def _correction(self, turn: tuple[Token, ...], guess: Guess) -> bool:
        """Saying "no, the order number is 4591" names the matter that is open: a detail changes, not the matter."""
        intent = self.matter.intent
        return (
            intent is not None and guess.intent.name == intent.name and self.phase == "else"
            and turn[0].text in ("no", "not", "sorry", "actually", "wait", "wrong")
        )  # fmt: skip

    def _start(self, guess: Guess, turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool) -> Reply:
        intent = guess.intent
        self.matter.start(intent)
        reply.facts.append(_recognised(guess))
        self._take(self.matter.take(turn, fact), reply)
        if intent.name not in self._acknowledged and intent.slots:
            self._acknowledged.add(intent.name)
            reply.parts.append(intent.acknowledge_upset if upset else intent.acknowledge)
        if intent.touchpoint.offer_person and not self._hinted:
            self._hinted = True
            reply.parts.append(self.playbook.phrase("person_hint"))
        return self._go_on(reply, upset)

    def _switch(self, turn: tuple[Token, ...], reply: Reply, upset: bool) -> Reply | None:
        """Another matter, clearly said, takes over the open one."""
        guess = recognise(turn, self.playbook)
        if guess is None or guess.score < _SWITCH or guess.intent is self.matter.intent:
            return None
        said = " ".join(t.text for t in turn)
        fact = Transcribed(leg="caller", start=turn[0].start, end=turn[-1].end, text=said)
        return self._start(guess, turn, fact, reply, upset)

    def _take(self, filled: list[SlotFilled], reply: Reply) -> bool:
        reply.facts += [Emit(fact=f) for f in filled]
        return bool(filled)

    def _go_on(self, reply: Reply, upset: bool, *, progress: bool = True) -> Reply:
        self.misunderstood = 0
        if progress:
            self.without_progress = 0
        failed = self.matter.failed_lookups
        phase, text = self.matter.step(upset=upset)
        if self.matter.failed_lookups > failed:
            self.without_progress += 1
            self.matter.asking = (
                self.matter.intent.lookup.slot if self.matter.intent and self.matter.intent.lookup else None
            )
            return self._stuck(reply, upset) or self._ask("slot", text, reply)
        if phase == "else":
            return self._ask("else", self.playbook.phrase("anything_else", upset=upset), reply, text)
        return self._stuck(reply, upset) or self._ask(phase, text, reply)

    def _missed(self, reply: Reply, upset: bool, again: str = "") -> Reply:
        self.misunderstood += 1
        self.without_progress += 1
        if stuck := self._stuck(reply, upset):
            return stuck
        name = "not_understood" if self.misunderstood < 2 else "not_understood_again"
        return reply.say(again or self.playbook.phrase(name, upset=upset))

    def _stuck(self, reply: Reply, upset: bool) -> Reply | None:
        if not is_stuck(self.misunderstood, self.without_progress):
            return None
        return reply.then(self.make_offer("stuck", upset=upset))

    def _close(self, reply: Reply, upset: bool) -> Reply:
        return self._ask("closing", self.playbook.phrase("goodbye", upset=upset), reply)

    def _open_question(self, upset: bool) -> str:
        if self.phase in ("open", "else", "closing"):
            return self.playbook.phrase("greeting" if self.phase == "open" else "anything_else", upset=upset)
        return self.matter.step(upset=upset)[1]

    def _ask(self, phase: Phase, question: str, reply: Reply, before: str = "") -> Reply:
        self.phase, self.question = phase, question
        return reply.say(before, question)


def _recognised(guess: Guess) -> Emit:
    return Emit(
        fact=IntentRecognised(intent=guess.intent.name, confidence=guess.confidence, start=guess.start, end=guess.end)
    )
