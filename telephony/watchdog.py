"""No caller is left in silence, and no call outlives its limits.

Hears from: the gateway's call (the same facts and events as the handoff, and `RtpReceived`, `AudioHeard`, `AudioSent`).
Tells: the same, by commands.
"""

from __future__ import annotations

from collections.abc import Sequence

from telephony.messages import Stamped
from telephony.transfer_messages import Command, Event


class Watchdog:
    """One call's watchdog. Commands: `TellCaller`, `Commit` (of `HandoffRequested`), `TicketCallback`, `EndCall`."""

    def receive(self, event: Stamped | Event) -> Sequence[Command]:
        raise NotImplementedError

    def deadline_s(self) -> float | None:
        raise NotImplementedError

    def expire(self, now_s: float) -> Sequence[Command]:
        raise NotImplementedError
