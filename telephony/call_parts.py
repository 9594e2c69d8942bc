"""What a call is made of besides its machines: what it shares with other calls, and its side to a human.

Hears from: the gateway. Tells: calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from telephony.human_line import HumanLine
from telephony.leg import CallLeg, Dialler
from telephony.messages import Stamped
from telephony.prompts import Prompts
from telephony.settings import Settings
from telephony.syncer import Syncer
from telephony.transfer_messages import Policy

if TYPE_CHECKING:
    from telephony.call import Call


class WorkerPort(Protocol):
    """The gateway's end of a worker, as a call needs it."""

    @property
    def name(self) -> str: ...
    def send(self, message: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every call of the process shares. ``absent``: who is not rung, and why. ``finished``: told of its end."""

    settings: Settings
    store: Path
    prompts: Prompts
    dialler: Dialler
    syncer: Syncer
    absent: Callable[[], Mapping[str, str]]
    line: HumanLine
    finished: Callable[[Call], None]
    aside: Callable[[Callable[[], None], Callable[[], None]], None]
    """Runs the first off the event loop, then the second on it."""
    announce: Callable[[Call, Stamped], None] = lambda _call, _stamped: None
    """Is shown every committed fact once the call itself has acted on it."""
    page: Callable[[str, str, int], str] = lambda _call, case, _attempt: f"/handoff/{case}"
    """Address of the human's context page: of call, case and attempt."""


@dataclass(slots=True, kw_only=True)
class Briefing:
    """What the worker uploaded for the human."""

    pcm: bytes = b""
    text: str = ""


@dataclass(slots=True, kw_only=True)
class HumanSide:
    """The leg to a human, which may be one of several tried."""

    attempt: int = 0
    target: str = ""
    leg: CallLeg | None = None
    listening: bool = False
    answered: bool = False
    briefing: Briefing = field(default_factory=Briefing)


def policy(settings: Settings) -> Policy:
    humans = settings.humans
    return Policy(
        ring_s=humans.ring_seconds,
        total_s=humans.total_seconds,
        accept=humans.accept,
        trusted=frozenset(t.name for t in humans.targets if t.trusted),
        crisis_target=humans.crisis_target,
        queue_s=humans.queue_seconds,
        refer=humans.transfer == "refer",
    )
