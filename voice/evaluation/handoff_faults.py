"""The faults of the chaos run, as data: what each telephone and each part of the system does in one call.

Hears from: a seed. Tells: `voice.evaluation.handoff_calls`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PHONES = ("accept", "decline", "machine", "mute", "holds", "drop")
"""Behaviours of a human's telephone that answers; ``drop`` hangs up in `Fault.at`."""
REFUSALS = {
    "busy": 486, "480": 480, "603": 603, "404": 404, "503": 503, "302": 302, "100-only": 100, "rings": 180,
    "nothing": 0,
}  # fmt: skip
"""Behaviours of an address that never answers: the status it sends, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One call's. ``first``, ``second``: behaviours of the two targets, in the order they are rung.

    ``opens``: how the handoff comes about: by the key 0, asked first because the matter is a person's (``asked``), or
    by words that tell of danger to life (``crisis``). ``strikes``: what goes wrong besides, when the handoff is in
    state ``at``: ``caller-leaves``, ``worker-killed``, ``store-fails`` (for 2 s), ``webhooks-down``, ``crossing`` (the
    caller hangs up as the human answers), ``caller-rtp-stops``, ``human-rtp-stops``, ``caller-holds``, ``both-hold``.
    """

    name: str
    opens: Literal["key", "asked", "crisis"] = "key"
    first: str = "accept"
    second: str = "accept"
    accepts_by: Literal["key", "voice"] = "key"
    strikes: str = ""
    at: str = ""
    rings_s: float = 0.0
    """A refusing address rings for so long first."""


HUMAN_STATES = ("SCREENING", "BRIEFING", "DECIDING", "BRIDGED")
"""States in which a human is on the line. HOLDING, ANSWERED and BRIDGING last no time: nothing can strike in them."""

FAULTS: tuple[Fault, ...] = (
    Fault(name="none"),
    Fault(name="none, accepted by voice", accepts_by="voice"),
    Fault(name="none, caller asked first", opens="asked", accepts_by="voice"),
    Fault(name="none, crisis", opens="crisis"),
    Fault(name="busy", first="busy"),
    Fault(name="declined by SIP", first="603"),
    Fault(name="404", first="404"),
    Fault(name="503", first="503"),
    Fault(name="302 elsewhere", first="302"),
    Fault(name="100 only", first="100-only"),
    Fault(name="no answer at all", first="nothing"),
    Fault(name="rings on", first="rings"),
    Fault(name="late busy", first="busy", rings_s=2.0),
    Fault(name="late 480", first="480", rings_s=2.0),
    Fault(name="declined by key", first="decline"),
    Fault(name="machine", first="machine"),
    Fault(name="nobody: both busy", first="busy", second="busy"),
    Fault(name="nobody: both decline", first="decline", second="603"),
    Fault(name="human holds after the bridge", first="holds"),
    Fault(name="caller holds after the bridge", strikes="caller-holds", at="BRIDGED"),
    Fault(name="both hold at once", strikes="both-hold", at="BRIDGED"),
    *(Fault(name=f"human drops in {s}", first="drop", at=s) for s in HUMAN_STATES),
    Fault(name="caller leaves in OFFERED", opens="asked", strikes="caller-leaves", at="OFFERED"),
    *(Fault(name=f"caller leaves in {s}", strikes="caller-leaves", at=s) for s in ("DIALLING", *HUMAN_STATES)),
    Fault(name="caller leaves in RELEASED", strikes="caller-leaves", at="RELEASED"),
    Fault(name="caller leaves in FAILED", first="busy", second="busy", strikes="caller-leaves", at="FAILED"),
    Fault(name="worker killed in OFFERED", opens="asked", strikes="worker-killed", at="OFFERED"),
    *(Fault(name=f"worker killed in {s}", strikes="worker-killed", at=s) for s in ("DIALLING", *HUMAN_STATES)),
    Fault(name="worker killed in FAILED", first="busy", second="busy", strikes="worker-killed", at="FAILED"),
    Fault(name="caller leaves as the human answers", strikes="crossing"),
    Fault(name="caller's RTP stops in DIALLING", first="mute", strikes="caller-rtp-stops", at="DIALLING"),
    Fault(name="caller's RTP stops in BRIDGED", strikes="caller-rtp-stops", at="BRIDGED"),
    Fault(name="human's RTP stops in SCREENING", strikes="human-rtp-stops", at="SCREENING"),
    Fault(name="human's RTP stops in BRIDGED", strikes="human-rtp-stops", at="BRIDGED"),
    Fault(name="webhook receiver down", strikes="webhooks-down"),
    Fault(name="store fails in DIALLING", strikes="store-fails", at="DIALLING"),
    Fault(name="store fails in DECIDING", strikes="store-fails", at="DECIDING"),
    Fault(name="store fails, nobody", first="busy", rings_s=1.0, second="busy", strikes="store-fails", at="DIALLING"),
)


def draw(calls: int, seed: int) -> Sequence[Fault]:
    """Every fault once in an order drawn by seed before any comes again; so few calls leave few faults out.

    The first calls of a longer run are those of a shorter one with the same seed: a run can go on where it stopped.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    out: list[Fault] = []
    while len(out) < calls:
        out += rng.sample(FAULTS, len(FAULTS))
    return out[:calls]
