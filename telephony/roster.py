"""All that the process knows of its humans: who is there, who has whom, who waits for them, whom to call back.

Hears from: the web page, phones (OPTIONS), calls. Tells: routing, calls, ``/metrics``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from telephony.announcer import Announcer
from telephony.callback_desk import Answered, CallbackDesk, Exits
from telephony.facts import CallEnded
from telephony.front_desk import FrontDesk
from telephony.human_line import HumanLine
from telephony.leg import Dialler
from telephony.metrics import Metrics
from telephony.presence import PresenceWatch
from telephony.settings import Settings
from telephony.sip_headers import human_headers

if TYPE_CHECKING:
    from telephony.call import Call


class Roster:
    """``call_of``: the live call of a handoff's ref. ``call_back``: a human has answered for a call back."""

    def __init__(
        self,
        settings: Settings,
        dialler: Dialler,
        announcer: Announcer,
        call_of: Callable[[str], Call | None],
        call_back: Callable[[Answered], None],
    ) -> None:
        self._names = [t.name for t in settings.humans.targets]
        self._announcer = announcer
        self.line = HumanLine(self.absent)
        self.presence = PresenceWatch(settings, self.line.look)
        self.desk = FrontDesk(settings.store.dir, self._names, call_of, self._seen, self.line.look)
        exits = Exits(begin=call_back, given_up=announcer.given_up, headers=self._headers)
        self.callbacks = CallbackDesk(settings, self.line, dialler, exits)

    def absent(self) -> dict[str, str]:
        """Targets that are not rung, and why."""
        return {**dict.fromkeys(self.presence.absent, "absent"), **dict.fromkeys(self.desk.away, "away")}

    def work(self) -> list[asyncio.Task[None]]:
        """What goes on beside the calls, once calls are taken."""
        tasks = [asyncio.create_task(self.presence.run())]
        if self.callbacks.enabled:
            tasks.append(asyncio.create_task(self.callbacks.run()))
        return tasks

    def look(self, metrics: Metrics) -> None:
        """Once a second: hours open and close without a word to anybody."""
        self.line.look()
        absent, taken = self.absent(), self.line.taken
        metrics.callers_in_line.set(self.line.waiting)
        for name in self._names:
            metrics.human_available.labels(name).set(name not in absent and name not in taken)

    def ended(self, call: Call) -> None:
        """A call is over; what it means for a call back."""
        if call.callback is not None:
            end = next(s.fact for s in reversed(call.log.facts) if isinstance(s.fact, CallEnded))
            self.callbacks.over(call.id, end.cause, kept=end.ending in ("with-human", "caller-left"))

    def _seen(self, name: str) -> dict[str, str]:
        """What is known of a human besides their own word."""
        return {"phone": self.presence.states[name], "call": "in" if name in self.line.taken else ""}

    def _headers(self, call_id: str, case: str) -> dict[str, str]:
        return human_headers(case, self._announcer.page(call_id, case, 1))
