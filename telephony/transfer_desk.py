"""What every action of the handoff works with: the situation, the timers, and the commands so far.

Hears from: `telephony.transfer_asking`, `telephony.transfer_ringing`, `telephony.transfer_talking`. Tells:
`telephony.transfer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telephony import transfer_table as table
from telephony.facts import ConsentHeard, Decision, Ending, Fact, HandoffState, Outcome, State
from telephony.messages import Stamped
from telephony.transfer_messages import (
    AskForHuman,
    Command,
    Commit,
    EndCall,
    Event,
    HangUpHuman,
    Policy,
    SetHumanListening,
    StartHold,
    StopAsking,
    StopHold,
    TellHuman,
)
from telephony.transfer_signals import HumanLeg, Situation


class Desk:
    """Working state of one call's handoff."""

    def __init__(self, targets: Sequence[str], policy: Policy) -> None:
        self.targets = list(targets)
        self.skipped: dict[str, str] = {}
        self.policy = policy
        self.now = Situation()
        self.timers: dict[str, float] = {}
        """Signal of the table → call time [s] at which it is due."""
        self.out: list[Command] = []
        self.row = table.Row(None, "")
        """The row at work."""
        self.cause: Stamped | Event | None = None
        """What is being answered; None: a timer."""

    # --- facts and commands ---

    def enter(self, state: State, *, target: str | None = None, outcome: Outcome | None = None, **why: Any) -> None:
        """Commits a state of the row at work. ``why``: ``rule``, ``threshold`` and the inputs of its decision."""
        assert state == self.row.to, (state, self.row)
        self.now.state = state
        self.commit(target=target, outcome=outcome, **why)

    def commit(self, *, target: str | None = None, outcome: Outcome | None = None, **why: Any) -> None:
        now = self.now
        if target is None:
            target = now.leg.target if now.leg else ""
        rule, threshold = why.pop("rule", ""), why.pop("threshold", None)
        decision = Decision(rule=f"handoff.{rule}", inputs=why, threshold=threshold) if rule else None
        fact = HandoffState(state=now.state, target=target, reason=now.reason, outcome=outcome or "")
        self.tell(Commit(fact=fact, decision=decision))

    def tell(self, *commands: Command) -> None:
        self.out.extend(commands)

    def fact(self) -> Fact | None:
        return self.cause.fact if isinstance(self.cause, Stamped) else None

    def by(self) -> str:
        """How the human said what is being answered."""
        if not isinstance(self.cause, Stamped):
            return "answer"
        return "voice" if isinstance(self.fact(), ConsentHeard) else "key"

    def end(self, cause: str, ending: Ending) -> None:
        self.now.over = True
        self.stop_asking()
        self.disarm()
        self.tell(EndCall(cause=cause, ending=ending))

    # --- timers ---

    def arm(self, name: str, after_s: float) -> None:
        self.timers[name] = self.now.now_s + after_s

    def cancel(self, *names: str) -> None:
        for name in names:
            self.timers.pop(name, None)

    def disarm(self, *keep: str) -> None:
        self.timers = {name: due_s for name, due_s in self.timers.items() if name in keep}

    # --- the caller on hold ---

    def hold(self) -> None:
        if not self.now.held:
            self.now.held = True
            self.arm("news", table.NEWS_FIRST_S)
            self.tell(StartHold())

    def end_hold(self) -> None:
        self.cancel("news")
        if self.now.held:
            self.now.held = False
            self.tell(StopHold())

    # --- the line for a human ---

    def ask(self) -> None:
        self.now.asking = True
        self.tell(AskForHuman(targets=tuple(self.now.remaining)))

    def stop_asking(self) -> None:
        """No longer in line; what was waited counts."""
        self.cancel("queue")
        if self.now.asking:
            self.now.asking = False
            self.now.place = 0
            self.now.line_s += self.now.now_s - self.now.asked_s
            self.tell(StopAsking())

    # --- the human leg ---

    @property
    def leg(self) -> HumanLeg:
        assert self.now.leg is not None, self.now.state
        return self.now.leg

    def listen(self, *, on: bool) -> None:
        if self.leg.listening != on:
            self.leg.listening = on
            self.tell(SetHumanListening(on=on))

    def take_leave(self, prompt: str) -> None:
        """One fixed sentence, never the briefing again (agents-js #2167), then the leg is hung up."""
        self.listen(on=False)
        self.leg.farewell = prompt
        self.arm("bye", table.FAREWELL_CAP_S)
        self.tell(TellHuman(prompt=prompt))

    def drop_leg(self, *, hang_up: bool) -> None:
        """Forgets the human leg; ``hang_up`` False: it is gone already."""
        if self.now.leg is None:
            return
        self.listen(on=False)
        self.now.leg = None
        self.now.introductions = frozenset()
        gone, self.now.replaced = self.now.replaced, False
        if hang_up and not gone:
            self.tell(HangUpHuman())
