"""What the agent says without having been spoken to: into silence, because distress rose, back from a handoff. Pure.

Hears from: the call's log. Tells: `voice.conversation.call`, actions.
"""

from __future__ import annotations

from telephony.facts import Decision, DistressChanged, HandoffAnswered, Transcribed
from voice.conversation.acting import Acting
from voice.conversation.commands import Action, Emit

_DROWNED_MOST = 3
"""Asked again, then offered a person: an offer whose answer drowns too would be put for ever."""


class Unasked(Acting):
    """Prompts, offers that are due, and the way back."""

    _drowned = 0
    """Turns in a row that noise kept from being understood."""

    def _offer_is_due(self, change: Emit | None) -> bool:
        """Distress was noticed before this turn ended, or is by this turn; its fact then brings the offer."""
        rises = change is not None and isinstance(change.fact, DistressChanged) and change.fact.level == "distress"
        return (self._offer_due or (rises and not self._offer_made)) and self._dialogue.phase != "offer"

    def _level_changed(self, fact: DistressChanged, now: float) -> list[Action]:
        if fact.level == "calm":
            self._offer_made = False
        if fact.level != "distress" or self._offer_made or self._crisis or self._dialogue.phase in ("handed", "offer"):
            return []
        self._offer_due = True
        return [] if self._silence.caller_speaks or self._words_due is not None else self._offer()

    def _offer(self) -> list[Action]:
        self._offer_due, self._offer_made, self._words_due = False, True, None
        if self._silenced() or self._dialogue.phase == "offer":
            return []
        return self._reply(self._dialogue.make_offer("distress", upset=self._upset))

    def _offer_at(self) -> float | None:
        return self._words_due if self._offer_due and not self._silence.caller_speaks else None

    def _prompt(self) -> list[Action]:
        """The caller is silent. Danger keeps the agent beside the caller; a finished call may end."""
        stage = self._silence.next_stage()
        if self._crisis:
            again = self._request("crisis", "crisis.silence", {"stage": stage}) if stage == 3 else []
            return [*self._stay(), *again]
        if self._remembering.asking:
            return self._remember(())
        if self._dialogue.phase == "closing":
            return self._hang_up()
        if self._dialogue.phase == "offer" and stage > 1:
            return self._offer_unanswered(stage)
        if stage == 3:
            say = self._say(self._phrase("silence_person"))
            return [say, *self._request("stuck", "silence.person", {"silent_stages": stage})]
        if self._dialogue.phase == "offer":
            return [self._say(self._phrase("offer_unclear"))]
        return [self._say(self._phrase("silence_gentle" if stage == 1 else "silence_choice"))]

    def _amid_noise(self, fact: Transcribed) -> list[Action] | None:
        """Nothing understood so often in a row, for noise, that only a person can help; ``None``: the talk goes on."""
        if self._crisis or self._silenced():
            return None
        self._drowned = self._drowned + 1 if fact.refused == "noise" else 0
        if self._drowned < _DROWNED_MOST:
            return None
        # A caller who comes back from a handoff that failed is asked again before the next.
        turns, self._drowned = self._drowned, 0
        return [self._say(self._phrase("silence_person")), *self._request("stuck", "noise.person", {"turns": turns})]

    def _offer_unanswered(self, stage: int) -> list[Action]:
        """Asked twice. Who is in distress may be past answering; where the agent is only stuck, nobody is forced."""
        reason = self._dialogue.offer.reason
        inputs: dict[str, object] = {"silent_stages": stage, "reason": reason}
        if reason == "distress":
            return self._request(reason, "offer.unanswered", inputs)
        self._silence.turn_taken(0.0)
        decision = Decision(rule="offer.unanswered", inputs=inputs)
        reply = self._dialogue.lapse(upset=self._upset)
        reply.facts.append(Emit(fact=HandoffAnswered(accepted=False), decision=decision))
        return self._reply(reply)

    def _back(self) -> list[Action]:
        self._offer_due = False
        self._silence.turn_taken(0.0)
        if self._crisis:
            self._dialogue.back(upset=True)
            return [self._say(self._phrase("crisis_back"), keep=True)]
        reply = self._dialogue.back(upset=self._upset)
        if self._handing.ticket is not None:
            reply.parts.insert(0, f"Somebody will call you back {self._handing.ticket.window}.")
        return self._reply(reply)
