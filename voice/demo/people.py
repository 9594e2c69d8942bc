"""How the demo's people behave: pure scripts that hear a phone and read the call's facts, and say what to do next.

A caller waits for the turn as people do: the far end has spoken and is quiet for 0.9 s. What the words meant is read
from the facts, because a recording cannot understand. Times are on the machine's monotonic clock.

Hears from: phone events, facts. Tells: `voice.demo.runner`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voice.demo.scenario import Answer, Human, Scenario

Json = Mapping[str, Any]

QUIET_S = 0.9
MUTE_S = 8.0
"""An agent that says nothing for this long is spoken to anyway."""
WAITING = frozenset({"HOLDING", "DIALLING", "ANSWERED", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """One command for a phone: ``say`` a clip, press ``key``, or hang up."""

    say: str = ""
    key: str = ""
    hang_up: bool = False


@dataclass(slots=True)
class Ear:
    """What one phone has heard: is the far end speaking, and since when is it quiet."""

    speaking: bool = False
    quiet_since: float = float("-inf")
    playing: bool = False
    bursts: int = 0
    answered_t: float | None = None
    closed: bool = False

    def phone(self, event: Json) -> None:
        match event["event"]:
            case "answered":
                self.answered_t = self.quiet_since = event["t"]
                self.closed = False
            case "heard_speech_start":
                self.speaking = True
                self.bursts += 1
            case "heard_speech_end":
                self.speaking = False
                # The gate says so 0.3 s late; the end itself is what quiet counts from.
                self.quiet_since = max(self.quiet_since, (self.answered_t or 0.0) + event["at_s"])
            case "played":
                self.playing = False
                self.quiet_since = max(self.quiet_since, event["t"])
            case "closed" | "failed":
                self.closed = True

    def quiet_s(self, now: float) -> float:
        return -1.0 if self.speaking or self.playing or self.answered_t is None else now - self.quiet_since


@dataclass(slots=True)
class Caller:
    """The caller: one sentence a turn, answers to what is asked, patient on hold, polite to the human."""

    scenario: Scenario
    ear: Ear = field(default_factory=Ear)
    state: str = "IDLE"
    disclosed: bool = False
    offered: bool = False
    bridged: bool = False
    heard: str = ""
    last: str = ""
    next_say: int = 0
    next_human: int = 0
    said_since: bool = False
    bursts_seen: int = 0
    left: bool = False
    used: Counter[Answer] = field(default_factory=Counter)

    def fact(self, fact: Json) -> None:
        match fact:
            case {"fact": "Disclosed"}:
                self.disclosed = True
            case {"fact": "Said", "leg": "caller"}:
                self.heard = f"{self.heard} {fact['text']}".strip()
                # A sentence that was cut comes again, and a prompt asks nothing: only a whole one gives the turn.
                self.said_since = self.said_since or not (fact.get("prompt") or fact.get("cut"))
            case {"fact": "HandoffOffered"}:
                self.offered = True
                self.said_since = False
            case {"fact": "HandoffAnswered"} | {"fact": "HandoffRequested"}:
                self.offered = False
            case {"fact": "HandoffState"}:
                self.state = fact["state"]
            case {"fact": "LegsBridged"}:
                self.bridged = True
                self.bursts_seen = self.ear.bursts
                self.said_since = False

    def step(self, now: float) -> Do | None:
        """What to do at this moment, if anything."""
        quiet_s = self.ear.quiet_s(now)
        if self.ear.closed or self.left or quiet_s < QUIET_S:
            return None
        if self.bridged:
            return self._to_human()
        if not self.disclosed or self.state in WAITING:
            return None
        if not self.said_since and quiet_s < MUTE_S:
            return None
        return self._speak(self._choose())

    def _to_human(self) -> Do | None:
        # A new burst after the bridge is the introduction or the human; the caller answers once somebody has spoken.
        if self.ear.bursts <= self.bursts_seen or self.next_human >= len(self.scenario.to_human):
            return None
        if not self.said_since:
            return None
        self.next_human += 1
        return self._speak(self.scenario.to_human[self.next_human - 1])

    def human_spoke(self) -> None:
        """The human has finished a sentence: it is the caller's turn."""
        self.said_since = True

    def _choose(self) -> str:
        for answer in self.scenario.answers:
            fits = answer.fits(self.heard, self.offered) and (answer.clip or self.last)
            if fits and self.used[answer] < answer.most:
                self.used[answer] += 1
                return answer.clip or self.last
        if self.next_say < len(self.scenario.says):
            self.next_say += 1
            return self.scenario.says[self.next_say - 1]
        return ""

    def _speak(self, clip: str) -> Do:
        self.offered = False
        self.heard = ""
        self.said_since = False
        self.bursts_seen = self.ear.bursts
        if not clip:
            self.left = True
            return Do(hang_up=True)
        self.last = clip
        self.ear.playing = True
        return Do(say=clip)


@dataclass(slots=True)
class Agent:
    """A human at a desk: `1` to hear about the caller, `1` to take the call, a few sentences, good-bye."""

    human: Human
    ear: Ear = field(default_factory=Ear)
    asked: set[str] = field(default_factory=set)
    keys: int = 0
    bridged: bool = False
    spoken: int = 0
    bursts_seen: int = 0

    def fact(self, fact: Json) -> None:
        if self.ear.answered_t is None or self.ear.closed:
            return
        match fact:
            case {"fact": "Said", "leg": "human", "prompt": "screening" | "decide" | "intro_human" as prompt}:
                self.asked.add(prompt)
            case {"fact": "LegsBridged"}:
                self.bridged = True

    def step(self, now: float) -> Do | None:
        quiet_s = self.ear.quiet_s(now)
        if self.ear.closed or quiet_s < 0.5:
            return None
        if not self.bridged:
            wanted = ("screening", "decide")[self.keys] if self.keys < 2 else ""
            if wanted in self.asked:
                self.keys += 1
                return Do(key="1")
            return None
        return self._talk(quiet_s)

    def _talk(self, quiet_s: float) -> Do | None:
        if "intro_human" not in self.asked and quiet_s < 4.0:
            return None
        answered = self.ear.bursts > self.bursts_seen
        if self.spoken and not answered and quiet_s < 5.0:
            return None
        if quiet_s < QUIET_S:
            return None
        if self.spoken == len(self.human.says):
            self.ear.closed = True
            return Do(hang_up=True)
        self.spoken += 1
        self.bursts_seen = self.ear.bursts
        self.ear.playing = True
        return Do(say=self.human.says[self.spoken - 1])
