"""The faults of the chaos run, as data: what each telephone and each part of the system does in one call.

Hears from: a seed. Tells: `voice.evaluation.handoff_calls`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

PHONES = ("accept", "decline", "machine", "mute", "holds", "drop")
"""Behaviours of a human's telephone that answers; ``drop`` hangs up in `Fault.at`."""
REFUSALS = {"busy": 486, "603": 603, "404": 404, "503": 503, "302": 302, "100-only": 100, "rings": 180, "nothing": 0}
"""Behaviours of an address that never answers: the status it sends, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One call's. ``first``, ``second``: behaviours of the two targets, in the order they are rung.

    ``strikes``: what goes wrong besides, when the handoff is in state ``at``: ``caller-leaves``, ``worker-killed``,
    ``store-fails`` (for 2 s), ``webhooks-down``, ``crossing`` (the caller hangs up as the human answers), ``rtp-stops``
    (of the caller).
    """

    name: str
    first: str = "accept"
    second: str = "accept"
    strikes: str = ""
    at: str = ""
    rings_s: float = 0.0
    """A refusing address rings for so long first."""


STATES = ("DIALLING", "SCREENING", "BRIEFING", "DECIDING", "BRIDGED")

FAULTS: tuple[Fault, ...] = (
    Fault(name="none"),
    Fault(name="busy", first="busy"),
    Fault(name="declined by SIP", first="603"),
    Fault(name="404", first="404"),
    Fault(name="503", first="503"),
    Fault(name="302 elsewhere", first="302"),
    Fault(name="100 only", first="100-only"),
    Fault(name="no answer at all", first="nothing"),
    Fault(name="rings on", first="rings"),
    Fault(name="late busy", first="busy", rings_s=2.0),
    Fault(name="declined by key", first="decline"),
    Fault(name="machine", first="machine"),
    Fault(name="nobody: both busy", first="busy", second="busy"),
    Fault(name="nobody: both decline", first="decline", second="603"),
    Fault(name="human holds after the bridge", first="holds"),
    *(Fault(name=f"human drops in {s}", first="drop", at=s) for s in STATES[1:]),
    *(Fault(name=f"caller leaves in {s}", strikes="caller-leaves", at=s) for s in STATES),
    *(Fault(name=f"worker killed in {s}", strikes="worker-killed", at=s) for s in STATES),
    Fault(name="caller leaves as the human answers", strikes="crossing"),
    Fault(name="caller's RTP stops", first="mute", strikes="rtp-stops", at="DIALLING"),
    Fault(name="webhook receiver down", strikes="webhooks-down", at="DIALLING"),
    Fault(name="store fails for 2 s", strikes="store-fails", at="DIALLING"),
)


def draw(calls: int, seed: int) -> Sequence[Fault]:
    """Every fault once in an order drawn by seed before any comes again; so few calls leave few faults out."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    out: list[Fault] = []
    while len(out) < calls:
        out += rng.sample(FAULTS, len(FAULTS))
    return out[:calls]
