"""Packets that stop on one side of a call whose signalling says that all is well.

A caller whose sound stops is asked, then taken for gone; a human whose sound stops after the bridge has left the caller
alone, and is given up for the next one. Nobody's packets count while that side holds us.

Hears from: the gateway's call (facts, `RtpReceived`, `AudioHeard`). Tells: the same, by commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telephony.facts import CallAnswered, CallEnded, Fact, HandoffState, HoldChanged, LegsBridged
from telephony.messages import Stamped
from telephony.transfer_messages import (
    AudioHeard,
    CallerLeft,
    Command,
    EndCall,
    Event,
    GiveUpHuman,
    RtpReceived,
    TellCaller,
)
from telephony.watchdog import WITH_HUMAN, ending


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """Times [s]."""

    prompt_s: float = 5.0
    lost_s: float = 15.0
    """Below the 20 s after which the SIP stack itself drops a mute line, with nobody told. We offer no comfort noise
    (RFC 3389), so a muted phone sends silence, not nothing."""
    first_s: float = 30.0
    """Packets of the caller never came."""


class MediaWatch:
    """One call's. ``calls_back``: we call, so the caller's packets count from the bridge on."""

    def __init__(self, *, calls_back: bool = False, limits: MediaLimits | None = None) -> None:
        self._limits = limits or MediaLimits()
        self._calls_back = calls_back
        self._answered_s: float | None = None
        self._caller_s: float | None = None
        self._human_s: float | None = None
        self._heard_ever = False
        self._holding: set[str] = set()
        self._bridged = False
        self._with_human = False
        self._joined_s: float | None = None
        self._prompted = False
        self._over = False

    def receive(self, event: Stamped | Event) -> Sequence[Command]:
        """Nothing is answered at once: all is a matter of time."""
        t = event.t
        match event:
            case Stamped(fact=fact):
                self._of_fact(fact, t)
            case RtpReceived(leg="caller"):
                self._caller_s, self._prompted = t, False
            case RtpReceived(leg="human"):
                self._human_s = t
            case AudioHeard(leg="caller"):
                self._heard_ever = True
            case CallerLeft():
                self._over = True
            case _:
                pass
        return ()

    def deadline_s(self) -> float | None:
        """Call time at which `expire` must be called, if any."""
        return min((due_s for due_s, _ in self._rules()), default=None)

    def expire(self, now_s: float) -> Sequence[Command]:
        """What is due at call time ``now_s``; nothing if called early."""
        due = [rule for due_s, rule in sorted(self._rules()) if due_s <= now_s]
        if "caller_lost" in due:
            self._over = True
            return [EndCall(cause="media-timeout", ending=ending(self._joined_s, now_s))]
        out: list[Command] = []
        if "human_lost" in due:
            self._bridged = False
            out.append(GiveUpHuman())
        if "caller_prompt" in due:
            self._prompted = True
            out.append(TellCaller(prompt="still_there"))
        return out

    def _of_fact(self, fact: Fact, t: float) -> None:
        match fact:
            case CallAnswered() if not self._calls_back:
                self._answered_s = t
            case CallEnded():
                self._over = True
            case LegsBridged():
                self._bridged, self._joined_s, self._human_s = True, t, t
                if self._answered_s is None:
                    self._answered_s = self._caller_s = t
            case HandoffState(state=state):
                self._with_human = state in WITH_HUMAN
                if state not in (*WITH_HUMAN, "BRIDGING"):
                    self._bridged, self._joined_s = False, None
            case HoldChanged(leg=leg, on=on):
                (self._holding.add if on else self._holding.discard)(leg)
                if leg == "caller":
                    self._caller_s = None if self._caller_s is None else t
                else:
                    self._human_s = t
            case _:
                pass

    def _rules(self) -> Iterator[tuple[float, str]]:
        limits = self._limits
        if self._over:
            return
        if self._bridged and self._human_s is not None and "human" not in self._holding:
            yield self._human_s + limits.lost_s, "human_lost"
        if self._answered_s is None or "caller" in self._holding:
            return
        if self._caller_s is None:
            if not self._heard_ever:
                yield self._answered_s + limits.first_s, "caller_lost"
            return
        yield self._caller_s + limits.lost_s, "caller_lost"
        if not self._with_human and not self._prompted:
            yield self._caller_s + limits.prompt_s, "caller_prompt"
