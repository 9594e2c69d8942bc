"""A turn in which the playbook recognises nothing: a language model, if there is one, may choose from a list. Pure.

The choice is a proposal. A matter is asked about ("Is it about …?"), a person is offered, at most once a call, and
nobody is handed off without their own yes; only an article is told at once, because it commits nobody to anything.
Without a choice, or with one too late, the agent says what it would have said. The caller's words leave the machine for
this, so nobody is asked where words are not kept.

Hears from: the call's log. Tells: `voice.conversation.call`, actions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from telephony.facts import Chosen, ConsentChanged, Transcribed
from voice.conversation.acting import Acting
from voice.conversation.choices import offered
from voice.conversation.commands import Action, Choice, Choose, Say
from voice.conversation.intents import ENOUGH, Guess
from voice.conversation.reply import Reply

_OPEN = ("open", "else", "closing")
_CONFIDENCE = 0.5
"""Of a matter that a model named and the caller has not yet agreed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The answer to a turn that was not understood, until the model has chosen."""

    reply: Reply
    ask: Choose


class Choosing(Acting):
    """Asks, and does what the choice allows."""

    _held: _Held | None = None
    _person_proposed = False
    _words_refused = False

    def _respond(self, fact: Transcribed, now: float) -> list[Action]:
        """The dialogue's answer to one turn of the caller."""
        missed = self._dialogue.misunderstood
        reply = self._dialogue.hear(fact, upset=self._upset)
        self._silence.grace = reply.waits
        unknown = self._dialogue.misunderstood > missed and self._dialogue.phase in _OPEN
        if not unknown or not self._may_ask:
            return self._answer(reply, now)
        listed = offered(self._playbook, person=not self._person_proposed)
        ask = Choose(said=fact.text, offered=listed, start=fact.start, end=fact.end)
        self._held = _Held(reply=reply, ask=ask)
        return [ask]

    def _chosen(self, fact: Chosen, now: float) -> list[Action]:
        held = self._held
        if held is None or held.ask.end != fact.end:
            return []
        self._held = None
        if self._silenced() or self._crisis or self._dialogue.phase not in _OPEN:
            return []
        choice = next((c for c in held.ask.offered if (c.kind, c.name) == (fact.kind, fact.name)), None)
        reply = self._proposed(choice, fact) if choice else held.reply
        # The caller has waited for one model already.
        return [replace(a, as_is=True) if isinstance(a, Say) else a for a in self._answer(reply, now)]

    def _proposed(self, choice: Choice, fact: Chosen) -> Reply:
        talk, upset = self._dialogue, self._upset
        # Understood after all, as far as one can tell.
        talk.misunderstood, talk.without_progress = max(0, talk.misunderstood - 1), max(0, talk.without_progress - 1)
        if choice.kind == "person":
            self._person_proposed = True
            return talk.make_offer("stuck", upset=upset, phrase="offer_request")
        if choice.kind == "article":
            return talk.tell(self._playbook.articles[choice.name], Reply(), upset)
        intent = self._playbook.intent(choice.name)
        assert intent is not None
        guess = Guess(intent=intent, score=ENOUGH, confidence=_CONFIDENCE, start=fact.start, end=fact.end)
        return talk.ask_about(guess, Reply(), upset)

    def _consent(self, fact: ConsentChanged) -> None:
        self._keypad.forget()
        self._words_refused |= fact.purpose == "transcription" and not fact.allowed

    @property
    def _may_ask(self) -> bool:
        agent = self._settings.agent
        words = self._settings.privacy.transcribe and not self._words_refused
        return bool(agent.llm_base_url) and agent.llm_choices and words
