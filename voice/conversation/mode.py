"""How a call is led: four tracks of what goes on, one mode, logged whenever it changes. Pure.

Tracks, each 0–1, fade by half a turn of the caller at a time: frustration (upset words, complaints, level), the
caller's uncertainty (hedging, asking back), urgency (time words), and the agent's own uncertainty (close second matter,
misunderstandings, a doubtful transcript). Weights are stated priors. The choice itself is `voice.handoff.policy.mode`.

Hears from: `voice.conversation.call`. Tells: the log (fact `ModeChanged`), `voice.conversation.talk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telephony.facts import Decision, Level, ModeChanged, Transcribed
from voice.conversation import asides
from voice.conversation.commands import Emit
from voice.conversation.words import Token, find
from voice.handoff import policy
from voice.playbooks.schema import Mode

_HEDGES = (
    "not sure|not certain|maybe|perhaps|i think so|i guess|not know|no idea|what do you mean|not understand|"
    "what does that mean|which one|how do i|confus*|i suppose|might be|could be"
)
_URGENT = (
    "urgent*|emergency|immediately|right now|right away|as soon as possible|hurry|at once|tonight|today|this minute|"
    "cannot wait|can not wait|running out|deadline|before tomorrow"
)
_FLOOR: dict[Level, float] = {"calm": 0.0, "attend": 0.6, "distress": 1.0}
_FADE = 0.5
_PRIOR = 0.5
"""How much a matter's own emotional weight counts as affect before anybody was upset."""
_DOUBTFUL = -1.0
"""Mean log probability of a transcript below which the recogniser itself is unsure (Whisper's own threshold)."""


@dataclass(slots=True)
class Tracks:
    """What goes on in the call, 0–1 each."""

    frustration: float = 0.0
    uncertainty: float = 0.0
    urgency: float = 0.0
    own: float = 0.0

    def heard(self, turn: Sequence[Token], fact: Transcribed, *, upset_words: float, misunderstood: int) -> None:
        """One turn of the caller. ``upset_words``: held weight of words and signs, as the distress rule has it."""
        complaint = 0.4 if asides.complains(turn) else 0.0
        self.frustration = max(self.frustration * _FADE, min(1.0, 0.6 * upset_words), complaint)
        self.uncertainty = self._track(self.uncertainty, turn, _HEDGES)
        self.urgency = self._track(self.urgency, turn, _URGENT)
        doubt = 0.3 if fact.log_prob is not None and fact.log_prob < _DOUBTFUL else 0.0
        self.own = min(1.0, 0.35 * misunderstood + doubt)

    def _track(self, before: float, turn: Sequence[Token], phrases: str) -> float:
        return min(1.0, before * _FADE + (0.6 if find(turn, phrases) else 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the talk stands: from the dialogue."""

    touchpoint: float
    prior: Mode
    open_slots: int
    failed_steps: int
    without_progress: int
    confidence: float


@dataclass(slots=True)
class Leading:
    """The mode of one call."""

    tracks: Tracks
    mode: Mode | None = None

    def choose(self, standing: Standing, level: Level) -> Emit | None:
        """The change, if the mode is another than before."""
        tracks = self.tracks
        affect = min(1.0, max(tracks.frustration, _FLOOR[level], _PRIOR * standing.touchpoint) + 0.2 * tracks.urgency)
        hard = policy.complexity(
            touchpoint=standing.touchpoint, open_slots=standing.open_slots, failed_steps=standing.failed_steps,
            without_progress=standing.without_progress,
        )  # fmt: skip
        hard = min(1.0, hard + 0.2 * tracks.uncertainty)
        confidence = max(0.0, standing.confidence - tracks.own)
        mode = policy.lead(affect, hard, confidence, standing.prior)
        if mode == self.mode:
            return None
        before, self.mode = self.mode, mode
        inputs = {
            "from": before, "prior": standing.prior, "affect": round(affect, 3), "complexity": round(hard, 3),
            "confidence": round(confidence, 3), "level": level, "open_slots": standing.open_slots,
            "failed_steps": standing.failed_steps, "without_progress": standing.without_progress,
        }  # fmt: skip
        fact = ModeChanged(
            mode=mode, frustration=round(tracks.frustration, 3), uncertainty=round(tracks.uncertainty, 3),
            urgency=round(tracks.urgency, 3), own_uncertainty=round(tracks.own, 3),
        )  # fmt: skip
        decision = Decision(
            rule="mode", inputs=inputs, threshold=policy.HIGH_AFFECT, versions={"mode": policy.VERSION}
        )  # fmt: skip
        return Emit(fact=fact, decision=decision)
