"""The handoff as a pure state machine: whom to ring when, what caller and human are told, when both are joined.

`telephony.transfer_signals` says what an event means now, `telephony.transfer_table` where that leads,
`telephony.transfer_asking`, `telephony.transfer_ringing` and `telephony.transfer_talking` what is done about it.
``python -m telephony.transfer`` prints ``docs/handoff-states.md``.

Hears from: the gateway's call (stamped facts, events of the legs). Tells: the same, by commands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from telephony import transfer_asking as asking
from telephony import transfer_ringing as ringing
from telephony import transfer_table as table
from telephony import transfer_talking as talking
from telephony.facts import BriefingBuilt, CallEnded, Fact, State, WorkerAttached, WorkerLost
from telephony.messages import Stamped
from telephony.transfer_desk import Desk
from telephony.transfer_messages import (
    AskForHuman,
    BridgeLegs,
    CallerLeft,
    CallerReferred,
    Command,
    Commit,
    DialHuman,
    EndCall,
    Event,
    HangUpHuman,
    HumanAnswered,
    HumanFailed,
    HumanFree,
    HumanLeft,
    HumanProgress,
    HumanSilent,
    InLine,
    Policy,
    PromptPlayed,
    ReferCaller,
    ReferFailed,
    ReturnToAgent,
    SetHumanListening,
    StartHold,
    StopAsking,
    StopHold,
    TellCaller,
    TellHuman,
    TicketCallback,
)
from telephony.transfer_signals import briefed, signal_of

__all__ = [
    "AskForHuman", "BridgeLegs", "CallerLeft", "CallerReferred", "Command", "Commit", "DialHuman", "EndCall", "Event",
    "HangUpHuman", "HumanAnswered", "HumanFailed", "HumanFree", "HumanLeft", "HumanProgress", "HumanSilent", "InLine",
    "Policy", "PromptPlayed", "ReferCaller", "ReferFailed", "ReturnToAgent", "SetHumanListening", "StartHold",
    "StopAsking", "StopHold", "TellCaller", "TellHuman", "TicketCallback", "Transfer",
]  # fmt: skip

ACTIONS: Final[dict[str, Callable[[Desk, str], str | None]]] = {
    action.__name__: action
    for action in (
        asking.offer, asking.wait_for_answer, asking.lapse, asking.seek, asking.wait_in_line,
        ringing.hold, ringing.sharpen, ringing.dial, ringing.ring, ringing.answer, ringing.reassure, ringing.fail,
        ringing.part, ringing.promise_callback, ringing.return_caller,
        talking.screen, talking.wait_for_consent, talking.repeat_screening, talking.brief, talking.tell_briefing,
        talking.repeat_briefing, talking.tell_answer, talking.think_over, talking.decide, talking.listen_again,
        talking.bridge, talking.introduce, talking.introduced_one, talking.release, talking.await_outcome,
        talking.stay_joined, talking.withdraw,
        talking.lose_caller, talking.finish,
    )
}  # fmt: skip

_OF_HUMAN_LEG = (HumanProgress, HumanAnswered, HumanFailed, HumanLeft, HumanSilent, PromptPlayed)


class Transfer:
    """One call's handoff.

    Args:
        targets: Names in the order to try.
        policy: Times and names.
    """

    def __init__(self, targets: Sequence[str], policy: Policy) -> None:
        self._desk = Desk(targets, policy)

    @property
    def state(self) -> State:
        return self._desk.now.state

    def retarget(self, targets: Sequence[str], skipped: Mapping[str, str] | None = None) -> None:
        """Names to try from the next handoff on: intent, hours and who is there are known by then.

        ``skipped``: the others, and why, for the record.
        """
        self._desk.targets, self._desk.skipped = list(targets), dict(skipped or {})

    def receive(self, event: Stamped | Event) -> Sequence[Command]:
        """A committed fact, or an event of a leg. Its own facts coming back change nothing.

        What was due before the event comes first, so a late timer and an early event never change places; only when
        the caller is gone nobody else is rung.
        """
        desk = self._desk
        desk.out = []
        event = self._of_present_leg(event)
        fact = event.fact if isinstance(event, Stamped) else None
        if not isinstance(event, CallerLeft) and not isinstance(fact, CallEnded):
            while (due_s := self.deadline_s()) is not None and due_s < event.t:
                self._expire_first(due_s)
        desk.now.now_s = max(desk.now.now_s, event.t)
        desk.cause = event
        if isinstance(fact, CallEnded):
            self._let_go()
        elif isinstance(event, HumanFree) and not desk.now.asking:
            desk.tell(StopAsking())
        elif not desk.now.over:
            self._note(fact)
            self._follow(signal_of(event, desk.now, desk.policy))
        return desk.out

    def deadline_s(self) -> float | None:
        """Call time at which `expire` must be called, if any."""
        return min(self._desk.timers.values(), default=None)

    def expire(self, now_s: float) -> Sequence[Command]:
        """Everything due at call time ``now_s``; nothing if called early."""
        self._desk.out = []
        while (due_s := self.deadline_s()) is not None and due_s <= now_s:
            self._expire_first(now_s)
        return self._desk.out

    def _of_present_leg(self, event: Stamped | Event) -> Stamped | Event:
        """Names the leg of an event that names none, before a timer that is due puts another leg in its place."""
        if isinstance(event, _OF_HUMAN_LEG) and event.attempt == 0:
            leg = self._desk.now.leg
            return replace(event, attempt=leg.attempt if leg else -1)
        return event

    def _expire_first(self, now_s: float) -> None:
        desk = self._desk
        name = min(desk.timers, key=lambda n: (desk.timers[n], n))
        desk.cancel(name)
        desk.now.now_s = max(desk.now.now_s, now_s)
        desk.cause = None
        self._follow(briefed(desk.now, desk.policy) if name == "briefed" else name)

    def _follow(self, word: str | None) -> None:
        """Walks the table from one signal until an action raises no other."""
        while word is not None:
            row = table.TABLE.get((self.state, word))
            if row is None:
                return
            self._desk.row = row
            word = ACTIONS[row.act](self._desk, word)

    def _note(self, fact: Fact | None) -> None:
        """What is remembered in whatever state it comes."""
        if isinstance(fact, BriefingBuilt):
            self._desk.now.briefing_built = True
        elif isinstance(fact, (WorkerAttached, WorkerLost)):
            self._desk.now.worker_here = isinstance(fact, WorkerAttached)

    def _let_go(self) -> None:
        """The call is over, by whomever: no human leg outlives it."""
        self._desk.now.over = True
        self._desk.stop_asking()
        self._desk.disarm()
        self._desk.drop_leg(hang_up=True)


if __name__ == "__main__":  # pragma: no cover (a test runs it as a program)
    from telephony.transfer_diagram import page

    print(page(), end="")
