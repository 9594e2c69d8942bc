"""What the handoff and the watchdog hear from the legs, and what they ask the gateway to do.

These stay inside the gateway: neither recorded nor sent over the link (`telephony.messages` is that vocabulary).
``t`` is call time [s since answer].

Hears from: nobody. Tells: `telephony.transfer`, `telephony.watchdog`, the gateway's call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telephony.facts import Decision, Ending, Fact, Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Numbers and names of a handoff. Sources: ``docs/handoff-states.md`` and the settings ``humans.*``."""

    ring_s: float = 25.0
    total_s: float = 75.0
    """Ringing in all, over every target; talking to a human who then declines does not count."""
    progress_s: float = 6.0
    """From INVITE to the first 18x: a proxy that only says 100 has lost the call."""
    offer_s: float = 12.0
    """Silence after the question "may I bring in a colleague?" before bringing one in for distress, or leaving it."""
    consent_s: float = 10.0
    decide_s: float = 12.0
    """From the end of the briefing to "no accept"."""
    repeats: int = 3
    """How often one human may have the screening or the briefing again."""
    accept: Literal["key-or-voice", "key", "answer"] = "key-or-voice"
    trusted: frozenset[str] = frozenset()
    """Names of targets that may be bridged without a second key when ``accept`` is "answer"."""
    crisis_target: str = ""
    refer: bool = False
    """Once both are introduced, the caller's line is asked to call the human itself, and we leave (RFC 3515, 3891)."""
    queue_s: float = 90.0
    """In line for humans who are all with other callers, before a callback is promised; 0 = nobody waits in line."""


# --- events -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something a leg or a worker did, seen by the gateway at call time ``t`` [s]."""

    t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanProgress(Event):
    """18x to our INVITE. ``attempt``: that of `DialHuman`: late events of older legs fall flat; 0 = this leg."""

    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanAnswered(Event):
    """200 to our INVITE."""

    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanFailed(Event):
    """Our INVITE failed. ``status``: the SIP status, 0 = no answer could be had (transport)."""

    status: int
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanLeft(Event):
    """BYE from the human, or the leg broke."""

    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanFree(Event):
    """Answers `AskForHuman`: nobody else rings ``target`` from now on. To be dialled, or given back."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InLine(Event):
    """Answers `AskForHuman`, and again whenever it changes: the caller's place, 1 = next; 0: nobody is there at all."""

    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanSilent(Event):
    """Packets of the human on the line have stopped, though the line is up and nobody holds it."""

    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerReferred(Event):
    """The caller's line has reported that it talks to the human itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferFailed(Event):
    """The REFER was refused, came to nothing, or got no answer; both lines are as they were."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPlayed(Event):
    """A prompt was played to its end, or cut by a key; not one that a later `TellHuman` replaced."""

    leg: Leg
    prompt: str
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerAnswered(Event):
    """200 to our INVITE to the caller, whom we call back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerFailed(Event):
    """Our INVITE to the caller failed. ``status``: as in `HumanFailed`."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCame(Event):
    """The worker has answered a question of the human: its sound is there, as prompt ``answer``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerLeft(Event):
    """BYE or CANCEL from the caller, or the leg broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpReceived(Event):
    """Packets arrive from a leg, whatever their level. Once per 100 ms is enough."""

    leg: Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioHeard(Event):
    """A received frame above −50 dBFS. Once per 100 ms is enough."""

    leg: Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSent(Event):
    """A frame above −50 dBFS went to a leg (turn, prompt, hold sound, bridged voice). Once per 100 ms is enough."""

    leg: Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerGone(Event):
    """This call's worker is dead or silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHere(Event):
    """A worker is attached to this call."""


# --- commands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Carried out in the order given: `Commit` and `TicketCallback` are on disk before what follows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellCaller(Command):
    """Play a prompt to the caller, after prompts already queued; hold sound falls silent meanwhile."""

    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHuman(Command):
    """Play a prompt to the human alone, in place of what the human hears now.

    ``briefing`` is the uploaded briefing; without its sound ``briefing_missing`` is played and reported.
    """

    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartHold(Command):
    """Hold sound to the caller whenever nothing else plays. Turns already queued still play, later ones are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopHold(Command):
    """No more hold sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForHuman(Command):
    """Get in line for one of ``targets``, best first; again: with these, in the same place."""

    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsking(Command):
    """Out of the line; a human who was just given is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialHuman(Command):
    """INVITE to a configured target. ``attempt`` counts up from 1 and names this leg in its events."""

    target: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DialCaller(Command):
    """INVITE to the caller whose ticket this call back keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartHumanHold(Command):
    """Hold sound to the human whenever nothing else plays, until the legs are joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpHuman(Command):
    """CANCEL or BYE, whichever fits; nothing where the leg is gone already. A crossing 200 gets ACK and BYE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUpHuman(Command):
    """The human's packets have stopped: comes back to the machines as `HumanSilent`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLegs(Command):
    """Join the legs, stop prompts and agent's turns, take the worker off the sound; then commit `LegsBridged`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferCaller(Command):
    """REFER with Replaces to the caller's line. Comes back as `CallerReferred` or `ReferFailed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHumanListening(Command):
    """Send ``ListenToHuman`` to the worker."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCallback(Command):
    """Write the callback ticket, flush it to disk, commit `CallbackTicketed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(Command):
    """Stamp and write a fact, then show it to everybody who decides."""

    fact: Fact
    decision: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnToAgent(Command):
    """The agent may speak again and the worker hears the caller again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCall(Command):
    """Hang up whatever still stands and commit `CallEnded`. Nothing where the call has ended already."""

    cause: str
    ending: Ending
