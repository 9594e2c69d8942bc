"""The handoff as a pure state table: whom to ring when, what caller and human are told, when both are joined.

Hears from: the gateway's call (stamped facts, events of the legs). Tells: the same, by commands.
"""

from __future__ import annotations

from collections.abc import Sequence

from telephony.messages import Stamped, State
from telephony.transfer_messages import (
    BridgeLegs,
    CallerLeft,
    Command,
    Commit,
    DialHuman,
    EndCall,
    Event,
    HangUpHuman,
    HumanAnswered,
    HumanFailed,
    HumanLeft,
    HumanProgress,
    Policy,
    PromptPlayed,
    ReturnToAgent,
    SetHumanListening,
    StartHold,
    StopHold,
    TellCaller,
    TellHuman,
    TicketCallback,
)

__all__ = [
    "BridgeLegs", "CallerLeft", "Command", "Commit", "DialHuman", "EndCall", "Event", "HangUpHuman", "HumanAnswered",
    "HumanFailed", "HumanLeft", "HumanProgress", "Policy", "PromptPlayed", "ReturnToAgent", "SetHumanListening",
    "StartHold", "StopHold", "TellCaller", "TellHuman", "TicketCallback", "Transfer",
]  # fmt: skip


class Transfer:
    """One call's handoff. ``targets``: names in the order to try; `retarget` replaces them before a handoff begins."""

    def __init__(self, targets: Sequence[str], policy: Policy) -> None:
        self.state: State = "IDLE"

    def retarget(self, targets: Sequence[str]) -> None:
        """Names to try at the next handoff (intent, hours and who is busy are known by then: `telephony.routing`)."""
        raise NotImplementedError

    def receive(self, event: Stamped | Event) -> Sequence[Command]:
        """A committed fact, or an event of a leg. Its own facts coming back change nothing."""
        raise NotImplementedError

    def deadline_s(self) -> float | None:
        """Call time at which `expire` must be called, if any."""
        raise NotImplementedError

    def expire(self, now_s: float) -> Sequence[Command]:
        """Everything due at call time ``now_s``; nothing if called early."""
        raise NotImplementedError
