"""When a human is due, and in which mode a call is best led. Pure functions, with their version.

The four modes are the decision matrix emotion × complexity: high and complex is led by a human, low and routine by the
agent, high and routine by both, low and complex is gathered by the agent and solved by a human.

Hears from: dialogue and distress. Tells: `voice.conversation.dialogue`, `voice.conversation.call`.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.facts import Level, Reason
from voice.playbooks.schema import Mode

VERSION = "2"
MISUNDERSTOOD = 2
"""In a row."""
WITHOUT_PROGRESS = 3
"""Turns."""
HIGH_AFFECT = 0.5
HIGH_COMPLEXITY = 0.5
LOW_CONFIDENCE = 0.4
_TOWARDS_PERSON: tuple[Mode, ...] = ("ai-led", "tag-team", "ai-gathers", "human-led")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What can make a human due."""

    danger: bool = False
    requested: bool = False
    level: Level = "calm"
    misunderstood: int = 0
    without_progress: int = 0


def is_stuck(misunderstood: int, without_progress: int) -> bool:
    """The agent does not get the caller any further."""
    return misunderstood >= MISUNDERSTOOD or without_progress >= WITHOUT_PROGRESS


def due(signs: Signs) -> Reason | None:
    """Why a human is due, the most pressing reason first; ``None`` if none is."""
    if signs.danger:
        return "crisis"
    if signs.requested:
        return "request"
    if signs.level == "distress":
        return "distress"
    return "stuck" if is_stuck(signs.misunderstood, signs.without_progress) else None


def complexity(*, touchpoint: float, open_slots: int, failed_steps: int, without_progress: int) -> float:
    """0–1 from what the matter is and how it goes; stated priors, saturating."""
    return min(1.0, 0.5 * touchpoint + 0.1 * open_slots + 0.25 * failed_steps + 0.15 * without_progress)


def mode(affect: float, complexity: float, confidence: float) -> Mode:
    """The mode for affect, complexity and the agent's own confidence, each 0–1. Low confidence counts as complex."""
    upset = affect >= HIGH_AFFECT
    hard = complexity >= HIGH_COMPLEXITY or confidence < LOW_CONFIDENCE
    if upset:
        return "human-led" if hard else "tag-team"
    return "ai-gathers" if hard else "ai-led"


def lead(affect: float, complexity: float, confidence: float, prior: Mode) -> Mode:
    """`mode`, which a matter's own prior may only move towards a person: a death is led by one from the start."""
    chosen = mode(affect, complexity, confidence)
    return max(chosen, prior, key=_TOWARDS_PERSON.index)
