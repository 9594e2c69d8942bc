"""The machines of one call: shown everything, their commands carried out in order, also when one waits for the disk.

Hears from: a call (facts, events, ticks). Tells: the same, by commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from telephony.call_commands import carry_out
from telephony.messages import Stamped
from telephony.transfer_messages import Command, Event, TellCaller

if TYPE_CHECKING:
    from telephony.call import Call

PROMPT_WAIT_TICKS = 60
"""1.2 s: rendering takes 0.3 to 0.8 s, and a caller without hold sound must hear something within 1.5 s."""
PROMPT_WAIT_ON_HOLD_TICKS = 200
"""4 s: with hold sound a busy machine is given time."""


class Machine(Protocol):
    """Decides; see ``docs/flow.md``, "Shapes"."""

    def receive(self, event: Stamped | Event) -> Sequence[Command]: ...
    def deadline_s(self) -> float | None: ...
    def expire(self, now_s: float) -> Sequence[Command]: ...


class CallMachines:
    """``machines``: in the order they are shown what happens."""

    def __init__(self, call: Call, machines: Iterable[Machine]) -> None:
        self._call, self._machines = call, tuple(machines)
        self._commands: deque[Command] = deque()
        self._obeying = False
        self.waiting = False
        """A command waits for the disk, and those behind it for that."""
        self._patience_tick: int | None = None

    def show(self, item: Stamped | Event) -> None:
        for machine in self._machines:
            self.obey(machine.receive(item))

    def tick(self) -> None:
        """Lets expire what is due."""
        call = self._call
        if self._patience_tick is not None and call.tick >= self._patience_tick:
            self.go_on()
        for machine in self._machines:
            deadline_s = machine.deadline_s()
            if deadline_s is not None and deadline_s <= call.t:
                self.obey(machine.expire(call.t))

    def obey(self, commands: Iterable[Command]) -> None:
        """Carries commands out in the order given, also when one of them has to wait for the disk."""
        self._commands.extend(commands)
        if self._obeying:
            return
        self._obeying = True
        try:
            while self._commands and not self.waiting:
                carry_out(self._call, self._commands.popleft())
        finally:
            self._obeying = False

    def wait_for_prompt(self, name: str) -> bool:
        """Whether what comes next may wait a moment for a prompt of this call's own; `go_on` ends the wait."""
        call = self._call
        if call.worker is None or name in call.own_prompts or TellCaller(prompt=name) not in self._commands:
            return False
        self._patience_tick = call.tick + (PROMPT_WAIT_ON_HOLD_TICKS if call.caller.hold else PROMPT_WAIT_TICKS)
        return True

    def go_on(self) -> None:
        """The prompt has come, or has been waited for long enough."""
        if self._patience_tick is not None:
            self._patience_tick = None
            self.waiting = False
            self.obey(())
