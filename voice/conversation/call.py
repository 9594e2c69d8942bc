"""One call as a conversation: facts in, sentences and facts out. Pure; no clock, no socket.

Order of precedence in a turn of the caller: danger to life, a request for a person, an offer that distress made due,
the matter. Everything rests on the committed log, its own facts included, so a second worker that reads the log
again stands where the first one stood.

Hears from: the call's log. Tells: `voice.pipeline`.
"""

from __future__ import annotations

from collections.abc import Sequence

from telephony.commands import HangUp
from telephony.facts import (
    CallerWithdrew,
    CardTyped,
    Chosen,
    ConsentChanged,
    ConsentHeard,
    Disclosed,
    DistressChanged,
    Fact,
    HandoffRequested,
    HandoffState,
    HoldChanged,
    KeypadChanged,
    KeyPressed,
    Level,
    ModeChanged,
    ProsodyMeasured,
    Said,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    WorkerAttached,
)
from telephony.messages import Stamped
from voice.conversation import answers
from voice.conversation.acting import quoted
from voice.conversation.choosing import Choosing
from voice.conversation.commands import Action, Emit
from voice.conversation.pacing import Expected, Patience, patience
from voice.conversation.refusal import refused
from voice.conversation.request import asks_for_person
from voice.conversation.unasked import Unasked
from voice.conversation.words import spoken
from voice.handoff.policy import Signs, due

WORDS_WITHIN_S = 3.0
"""After speech has stopped, its words are waited for this long before the agent speaks unasked."""
_HEARD_ENOUGH = 0.6
_EXPECTED: dict[str, Expected] = {
    "amount": "amount", "date": "date", "name": "name", "text": "name", "address": "address",
}  # fmt: skip
_DIGIT_KINDS = ("digits", "phone", "postcode")


class Conversation(Choosing, Unasked):
    """Composes dialogue, distress, pacing and crisis. ``receive``, ``deadline_s``, ``expire``: see ``docs/flow.md``."""

    def receive(self, stamped: Stamped) -> Sequence[Action]:
        """What follows from a committed fact. Timers that were due before it run first, live as in a replay."""
        out: list[Action] = []
        while (at := self.deadline_s()) is not None and at < stamped.t:
            out += self.expire(at)
        fact = stamped.fact
        self._confirmed(fact)
        returned = self._handing.receive(fact)
        self._remembering.receive(fact)
        self._notices.receive(fact)
        change = self._distress.receive(stamped)
        mine: list[Action] = [change] if change else []
        mine += self._back() if returned else self._react(fact, stamped.t, change)
        if isinstance(fact, Transcribed) and fact.leg == "caller" and fact.final:
            mine += self._lead(fact, stamped.t)
        mine += self._handing.briefing(self._dialogue.matter.done)
        if not isinstance(fact, KeypadChanged):
            mine += [*self._identified(), *self._keys()]
        return out + self._noted(mine, stamped.t)

    def deadline_s(self) -> float | None:
        """Call time [s] of the next `expire`, if any."""
        if not self._greeted or self._hung_up or self._silenced():
            return None
        waits = [self._silence.deadline_s(), self._keypad.deadline_s(), self._offer_at()]
        return min((w for w in waits if w is not None), default=None)

    def expire(self, now_s: float) -> Sequence[Action]:
        """What follows from time alone."""
        if self._deadline_passed(self._keypad.deadline_s(), now_s):
            return self._noted([*self._typed(now_s), *self._keys()], now_s)
        if self._deadline_passed(self._offer_at(), now_s):
            return self._noted([*self._offer(), *self._keys()], now_s)
        if self._deadline_passed(self._silence.deadline_s(), now_s):
            return self._noted(self._prompt(), now_s)
        return ()

    def resume(self, now_s: float) -> Sequence[Action]:
        """A second worker took over: what the first one did not get committed, then the open question again."""
        out: list[Action] = list(self._unconfirmed)
        if not self._greeted or self._silenced():
            return out
        if (self._dialogue.phase == "closing" and not self._remembering.asking) or self._hung_up:
            return [*out, HangUp(cause="resolved")]
        text = self._phrase("crisis_stay") if self._crisis else self._dialogue.question
        # Sentences of the first worker that were never reported will not be: only this one is waited for.
        self._silence.forget(now_s)
        return [*out, *self._noted([self._say(text, keep=self._crisis)], now_s)]

    def patience(self) -> Patience:
        """What the end of the caller's turn should look like now."""
        # A number read back may come again, corrected: "No, four five nine one."
        slot = self._dialogue.matter.slot if self._dialogue.phase in ("slot", "confirm") else None
        level, base = self._distress.level, self._settings.agent.patience
        if slot is None:
            return patience(level, base=base)
        if slot.kind in _DIGIT_KINDS:
            return patience(level, "digits", 5 if slot.kind == "postcode" else slot.max, base=base)
        return patience(level, _EXPECTED.get(slot.kind), base=base)

    def _react(self, fact: Fact, now: float, change: Emit | None) -> list[Action]:
        if isinstance(fact, Disclosed) and not self._greeted:
            self._greeted = True
            return self._reply(self._dialogue.greet(upset=self._upset))
        if not self._greeted or self._handing.over:
            return []
        if isinstance(fact, ProsodyMeasured):
            self._pacer.heard(fact.rate_syl_s)
        elif isinstance(fact, (SpeechStarted, SpeechStopped)) and fact.leg == "caller":
            on = isinstance(fact, SpeechStarted)
            self._silence.speech(fact.at, on=on)
            self._words_due = None if on else fact.at + WORDS_WITHIN_S
        elif isinstance(fact, HoldChanged) and fact.leg == "caller":
            self._silence.hold(now, on=fact.on)
        elif isinstance(fact, Said) and fact.leg == "caller":
            return self._said(fact)
        elif isinstance(fact, Transcribed) and fact.leg == "caller" and fact.final:
            return self._heard(fact, now, change)
        elif isinstance(fact, KeyPressed) and fact.leg == "caller":
            return self._key(fact, now)
        elif isinstance(fact, ConsentHeard) and fact.intent == "other":
            return list(self._handing.asked(fact.text))
        elif isinstance(fact, HandoffRequested):
            self._dialogue.hand_over()
            self._keypad.forget()
        elif isinstance(fact, ConsentChanged):
            self._consent(fact)
        elif isinstance(fact, Chosen):
            return self._chosen(fact, now)
        elif isinstance(fact, KeypadChanged):
            self._entry = fact if fact.on else KeypadChanged(on=False)
        elif isinstance(fact, CardTyped):
            return self._answer(self._dialogue.card(fact, upset=self._upset), now)
        elif isinstance(fact, ModeChanged):
            self._dialogue.mode = fact.mode
        elif isinstance(fact, HandoffState):
            if (fact.state, fact.outcome, self._dialogue.phase) == ("IDLE", "", "offer"):
                # The gateway has let the offer lapse: this worker was too slow, or took over in the middle of it.
                return self._reply(self._dialogue.lapse(upset=self._upset))
        elif isinstance(fact, WorkerAttached):
            self._silence.speech(now, on=False)
        elif isinstance(fact, DistressChanged):
            return self._level_changed(fact, now)
        return []

    def _heard(self, fact: Transcribed, now: float, change: Emit | None) -> list[Action]:
        turn = spoken(fact)
        self._words_due = self._held = None
        self._silence.turn_taken(now, fact.end)
        if not turn and fact.text:
            return []
        if (drowned := self._amid_noise(fact)) is not None:
            return drowned
        danger, request = self._distress.crisis.heard(turn), asks_for_person(turn)
        if request is None and (other := self._dialogue.asked_for_person(fact)):
            turn, request = other, asks_for_person(other)
        if not danger and not self._crisis and (purpose := refused(turn)):
            return self._refuse(purpose)
        if self._silenced() and not danger:
            return [Emit(fact=CallerWithdrew())] if self._handing.quiet and answers.withdraws(turn) else []
        level: Level = "distress" if self._offer_is_due(change) else "calm"
        # A person about to be offered is what the question whether the caller is safe would lead to.
        if not danger and not request and not self._crisis and (level == "calm" or self._safety.asking):
            if (answered := self._suspicion(fact, turn)) is not None:
                return answered
        reason = due(Signs(danger=danger is not None, requested=request is not None, level=level))
        if reason == "crisis" and danger:
            return self._danger(turn, danger)
        if reason == "request" and request:
            return self._request("request", "request.words", quoted(turn, request))
        if reason == "distress":
            noted: list[Action] = list(self._dialogue.note(fact, turn))
            return noted + (self._offer() if self._offer_due else [])
        if self._crisis:
            return self._stay()
        if self._remembering.asking:
            return self._remember(turn)
        return self._respond(fact, now)

    def _lead(self, fact: Transcribed, now: float) -> list[Action]:
        """The mode after this turn, if it is another: on record before it has any effect."""
        turn = spoken(fact)
        if not turn or not self._greeted or self._handing.over:
            return []
        words, missed = self._distress.words(now), self._dialogue.misunderstood
        self._leading.tracks.heard(turn, fact, upset_words=words, misunderstood=missed)
        changed = self._leading.choose(self._dialogue.standing(), self._distress.level)
        return [changed] if changed else []

    def _said(self, fact: Said) -> list[Action]:
        self._silence.said(fact.end, prompt=bool(fact.prompt))
        if fact.prompt:
            return []
        words = len(self._dialogue.last.split()) or 1
        self._dialogue.unheard = fact.cut and len(fact.text.split()) < _HEARD_ENOUGH * words
        last = not self._silence.queued or fact.text.strip() == self._dialogue.question.strip()
        if self._dialogue.phase == "closing" and not fact.cut and last and not self._remembering.asking:
            return self._hang_up()
        return []

    def _key(self, fact: KeyPressed, now: float) -> list[Action]:
        self._silence.turn_taken(now)
        slot = self._dialogue.matter.slot if self._dialogue.phase == "slot" else None
        if self._silenced() or slot is None or not self._entry.on:
            return []
        if self._entry.secret:
            self._silence.grace = True  # the whole card comes with `CardTyped`; looking it up takes a moment
            return []
        return self._typed(now) if self._keypad.press(fact.key, now, self._entry.longest) else []

    def _typed(self, now: float) -> list[Action]:
        digits, start, end = self._keypad.take()
        return self._answer(self._dialogue.keyed(digits, start, end, upset=self._upset), now)

    def _deadline_passed(self, deadline: float | None, now: float) -> bool:
        return deadline is not None and deadline <= now
