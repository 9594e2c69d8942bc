"""The moves of the talk: start a matter, go on with it, ask again, offer a colleague, close. Pure.

What a turn of the caller means is read in `voice.conversation.dialogue`; here is what can be done about it.
Hears from: `voice.conversation.dialogue`. Tells: the same, replies.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from telephony.facts import IntentRecognised, Reason, SlotFilled, Transcribed
from voice.conversation.asides import means_another
from voice.conversation.commands import Emit
from voice.conversation.doubt import addressed
from voice.conversation.intents import Guess
from voice.conversation.matter import Matter, Phase
from voice.conversation.mode import Standing
from voice.conversation.offer import Offer
from voice.conversation.reply import Reply
from voice.conversation.words import Token
from voice.handoff.policy import is_stuck
from voice.playbooks.schema import Article, Intent, Mode, Playbook


@dataclass(slots=True)
class Talk:
    """Where the talk stands. Changed only by what the caller said and by offers."""

    playbook: Playbook
    refusals: str = ""
    """How to refuse what is done with this call (`voice.conversation.disclosure`)."""
    matter: Matter = field(init=False)
    offer: Offer = field(init=False)
    phase: Phase = "open"
    misunderstood: int = 0
    without_progress: int = 0
    question: str = ""
    last: str = ""
    unheard: bool = False
    mode: Mode = "ai-led"
    """Who leads (`voice.conversation.mode`), as of the caller's last turn."""
    waiting: list[Guess] = field(default_factory=list)
    """Other matters of the same sentence, still to be worked on."""
    confidence: float = 1.0
    """Of the matter recognised last; nothing said yet leaves no doubt."""
    answered: Intent | None = None
    """The matter that was answered last: what a complaint is then about."""
    meant: Guess | None = None
    """The matter the caller was asked about ("Is it about …?")."""
    _hinted: bool = False
    _apologised: bool = False
    _followed: set[str] = field(default_factory=set)
    _acknowledged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.matter = Matter(self.playbook)
        self.offer = Offer(self.playbook)

    def greet(self, *, upset: bool) -> Reply:
        return self._ask("open", self._phrase("greeting", upset), Reply())

    def make_offer(self, reason: Reason, *, upset: bool, phrase: str = "") -> Reply:
        """Asks whether a colleague may be brought in, in the words of ``phrase`` or of the reason."""
        if self.phase != "offer":
            self.offer.before = self.phase
        self._hinted = True
        counts: dict[str, object] = {"misunderstood": self.misunderstood, "without_progress": self.without_progress}
        question, offered = self.offer.make(reason, counts, upset=upset, phrase=phrase)
        slot = self.matter.slot
        reply = self._ask("offer", question.format(label=slot.label if slot else "that"), Reply())
        reply.facts.append(offered)
        self.last = reply.text
        return reply

    def lapse(self, *, upset: bool) -> Reply:
        """Nobody answered the offer: the caller stays with the agent, where the talk was before it."""
        self.phase = self.offer.before
        self.misunderstood = self.without_progress = 0
        return self._ask(self.phase, self._open_question(upset), Reply(), self._phrase("offer_declined", upset))

    def back(self, *, upset: bool) -> Reply:
        """The caller is with the agent again after a handoff that did not happen."""
        if self.phase in ("handed", "offer", "closing"):
            self.phase = self.offer.before if self.offer.before not in ("handed", "offer", "closing") else "open"
        self.misunderstood = self.without_progress = 0
        return self._ask(self.phase, self._open_question(upset), Reply(), self._phrase("back", upset))

    def hand_over(self) -> None:
        """A handoff begins: nothing is said until it ends."""
        if self.phase not in ("handed", "offer", "closing"):
            self.offer.before = self.phase
        self.phase = "handed"

    def standing(self) -> Standing:
        """What the mode rests on."""
        intent, values = self.matter.intent, self.matter.values
        touch = intent.touchpoint if intent else None
        working = intent is not None and intent is not self.answered
        return Standing(
            touchpoint=touch.weight if touch else 0.0, prior=touch.mode if touch else "ai-led",
            open_slots=sum(n not in values for n in intent.slots) if intent and working else 0,
            failed_steps=self.matter.failed_lookups, without_progress=self.without_progress,
            confidence=self.confidence,
        )  # fmt: skip

    def _start(
        self, guesses: list[Guess], turn: tuple[Token, ...], fact: Transcribed, reply: Reply, upset: bool
    ) -> Reply:
        """Begins the first matter; the others of the same sentence wait for their turn."""
        guess, *others = guesses
        self.waiting += [g for g in others if g.intent not in [w.intent for w in self.waiting]]
        intent, again = guess.intent, guess.intent is self.answered
        self.matter.start(intent)
        self.confidence = guess.confidence
        reply.facts.append(recognised(guess))
        if not self._take(self.matter.renewed(turn, fact), reply) and again and means_another(turn):
            self.matter.forget()
        self._take(self.matter.take(turn, fact), reply)
        for other in others:
            self._take(self.matter.take(turn, fact, of=other.intent), reply)
        led = intent.touchpoint.mode == "human-led"
        if intent.name not in self._acknowledged and (intent.slots or led):
            self._acknowledged.add(intent.name)
            reply.parts.append(intent.acknowledge_upset if upset else intent.acknowledge)
        if led:
            self.answered = intent
            return reply.then(self.make_offer("stuck", upset=upset, phrase="offer_specialist"))
        if intent.touchpoint.offer_person and not self._hinted and not upset:
            self._hinted = True
            reply.parts.append(self._phrase("person_hint", upset))
        return self._go_on(reply, upset)

    def _go_on(self, reply: Reply, upset: bool, *, progress: bool = True) -> Reply:
        self.misunderstood = 0
        if progress:
            self.without_progress = 0
        failed, intent = self.matter.failed_lookups, self.matter.intent
        phase, text = self.matter.step(upset=upset)
        if self.matter.failed_lookups > failed:
            self.without_progress += 1
            self.matter.asking = intent.lookup.slot if intent and intent.lookup else None
            if self.matter.failed_lookups >= 2:
                return reply.then(self.make_offer("stuck", upset=upset))
            return self._stuck(reply, upset) or self._ask("slot", text, reply)
        if phase == "else":
            self.answered = intent
            if intent and intent.touchpoint.mode == "ai-gathers":
                return reply.say(text).then(self.make_offer("stuck", upset=upset, phrase="offer_specialist"))
            return self._next(reply.say(text), upset)
        return self._stuck(reply, upset) or self._ask(phase, text, reply)

    def _next(self, reply: Reply, upset: bool) -> Reply:
        """The other matter the caller named, or "anything else?"."""
        while self.waiting:
            guess = self.waiting.pop(0)
            if guess.intent is self.answered:
                continue
            self.phase = "else"
            reply.say(self._phrase("next_matter", upset))
            return self._start([guess], (), Transcribed(leg="caller", start=guess.start, end=guess.end, text=""),
                               reply, upset)  # fmt: skip
        return self._ask("else", self._phrase("anything_else", upset), reply)

    def _follow_up(self, reply: Reply, upset: bool) -> Reply:
        """A complaint about the matter that was answered: one apology, a remedy, then a colleague."""
        intent = self.answered
        self.misunderstood = 0
        if not self._apologised:
            self._apologised = True
            reply.say(self._phrase("apology", upset))
        if intent and intent.followup and intent.name not in self._followed:
            self._followed.add(intent.name)
            return self._ask("check", self.matter.fill(intent.followup.ask), reply)
        if "colleague" not in self._followed:
            self._followed.add("colleague")
            return reply.then(self.make_offer("stuck", upset=upset, phrase="offer_followup"))
        return self._ask("else", self._phrase("anything_else", upset), reply, self._phrase("noted", upset))

    def _without(self, reply: Reply, upset: bool) -> Reply:
        """The caller does not have the detail: a colleague may find it; asked for no more than once."""
        name = f"without.{self.matter.asking}"
        if name not in self._followed:
            self._followed.add(name)
            return reply.then(self.make_offer("stuck", upset=upset, phrase="offer_no_detail"))
        self.answered = self.matter.intent
        return self._next(reply.say(self._phrase("set_aside", upset)), upset)

    def _missed(self, reply: Reply, upset: bool, again: str = "") -> Reply:
        if self.phase == "offer":
            return reply.say(self.question)
        self.misunderstood += 1
        self.without_progress += 1
        if stuck := self._stuck(reply, upset):
            return stuck
        return reply.say(again or self._phrase("not_understood", upset))

    def tell(self, known: Article, reply: Reply, upset: bool) -> Reply:
        """Answers from an article."""
        self.matter.done.append(f"answered from {known.source}")
        self.misunderstood = self.without_progress = 0
        return self._next(reply.say(known.answer), upset)

    def ask_about(self, guess: Guess, reply: Reply, upset: bool) -> Reply:
        """A matter that was only guessed is named before it is begun."""
        self.meant = guess
        question = self._phrase("meant", upset).format(topic=addressed(guess.intent.title))
        return self._ask("meant", question, reply)

    def _again(self, upset: bool) -> str:
        """The question for what was not understood, by what had been asked."""
        slot = self.matter.slot
        if self.phase == "slot" and slot is not None:
            digits = "slot_again_digits" if slot.kind in ("digits", "phone", "postcode") else "slot_again"
            return self._phrase(digits, upset).format(label=slot.label)
        if self.phase in ("confirm", "action", "check", "offer", "meant"):
            return self.question
        return self._phrase("not_understood", upset)

    def _stuck(self, reply: Reply, upset: bool) -> Reply | None:
        led_by_person = self.mode == "human-led" and upset and self.misunderstood > 0
        if not led_by_person and not is_stuck(self.misunderstood, self.without_progress):
            return None
        return reply.then(self.make_offer("stuck", upset=upset))

    def _close(self, reply: Reply, upset: bool) -> Reply:
        return self._ask("closing", self._phrase("goodbye", upset), reply)

    def _open_question(self, upset: bool) -> str:
        if self.phase in ("open", "else", "closing"):
            return self._phrase("greeting" if self.phase == "open" else "anything_else", upset)
        if self.phase == "check" and self.answered and self.answered.followup:
            return self.matter.fill(self.answered.followup.ask)
        return self.matter.step(upset=upset)[1]

    def _ask(self, phase: Phase, question: str, reply: Reply, before: str = "") -> Reply:
        self.phase, self.question = phase, question
        return reply.say(before, question)

    def _take(self, filled: list[SlotFilled], reply: Reply) -> bool:
        reply.facts += [Emit(fact=f) for f in filled]
        return bool(filled)

    def _phrase(self, name: str, upset: bool) -> str:
        return self.playbook.phrase(name, upset=upset)


def recognised(guess: Guess) -> Emit:
    return Emit(
        fact=IntentRecognised(intent=guess.intent.name, confidence=guess.confidence, start=guess.start, end=guess.end)
    )
