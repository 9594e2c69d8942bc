"""The handoff as the conversation sees it: when to be quiet, when to brief, when the caller is back. Pure.

Hears from: the call's log. Tells: `voice.conversation.call`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from telephony.facts import CallbackTicketed, CallEnded, Fact, HandoffState, LegsBridged, State
from voice.conversation.commands import AnswerHuman, Emit
from voice.handoff.briefing import Notes, build
from voice.handoff.questions import answer

_QUIET: frozenset[State] = frozenset(
    {
        "HOLDING",
        "DIALLING",
        "ANSWERED",
        "SCREENING",
        "BRIEFING",
        "DECIDING",
        "BRIDGING",
        "BRIDGED",
        "RELEASED",
        "FAILED",
    }
)
_BRIEFED: frozenset[State] = frozenset({"HOLDING", "DIALLING", "ANSWERED", "SCREENING"})
"""States in which a briefing is still of use: once it is played, the human has heard what there was."""
_HEARD: frozenset[State] = frozenset({"BRIEFING", "DECIDING"})
"""States in which it can be heard again: only then, and only if the caller has forbidden something, is it made anew."""


@dataclass(slots=True)
class Handing:
    """Where the handoff stands."""

    notes: Notes
    state: State = "IDLE"
    over: bool = False
    """The agent has left the call, or the call has ended."""
    ticket: CallbackTicketed | None = None
    _sent: str = ""
    _stale: bool = True
    _done: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        """The agent says nothing by itself."""
        return self.over or self.state in _QUIET

    def receive(self, fact: Fact) -> bool:
        """Takes the fact in; True when the caller is with the agent again."""
        self._stale = self.notes.receive(fact) or self._stale
        if isinstance(fact, CallbackTicketed):
            self.ticket = fact
        elif isinstance(fact, (LegsBridged, CallEnded)):
            self.over = True
        elif isinstance(fact, HandoffState):
            was_quiet, self.state = self.state in _QUIET, fact.state
            if fact.state == "IDLE" and was_quiet:
                self.over = False
                return True
        return False

    def asked(self, text: str) -> list[AnswerHuman]:
        """A question of the human about a detail; before consent and after the bridge nothing is answered."""
        told = answer(text, self.notes) if self.state in ("BRIEFING", "DECIDING") else None
        return [AnswerHuman(text=told)] if told else []

    def briefing(self, done: list[str]) -> list[Emit]:
        """The briefing, as soon as it is needed and again whenever it would say something else."""
        due = self.state in _BRIEFED or (self.state in _HEARD and self.notes.refused)
        if self.over or not due or not self._stale:
            return []
        self._stale = False
        built = build(self.notes, done)
        if built.text == self._sent:
            return []
        self._sent = built.text
        return [Emit(fact=built)]
