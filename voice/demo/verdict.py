"""Did the call end as its scenario says, and the four figures that matter. Pure: facts and recordings in, words out.

Hears from: `voice.demo.runner`. Tells: the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from telephony import phone_audio as audio
from telephony.facts import LEVELS, Level
from voice.demo.scenario import Expected

Json = Mapping[str, Any]


def of(facts: Sequence[Json], name: str) -> list[Json]:
    return [f for f in facts if f["fact"] == name]


def peak_level(facts: Sequence[Json]) -> Level:
    levels = [f["level"] for f in of(facts, "DistressChanged")]
    return max(levels, key=LEVELS.index, default="calm")


def outcomes(facts: Sequence[Json]) -> list[str]:
    """Outcomes of the handoff in order, each said once."""
    found = [f["outcome"] for f in of(facts, "HandoffState") if f.get("outcome")]
    return [o for i, o in enumerate(found) if i == 0 or found[i - 1] != o]


def reasons(facts: Sequence[Json]) -> set[str]:
    asked = {f["reason"] for f in of(facts, "HandoffRequested")}
    offers = of(facts, "HandoffOffered")
    if any(f["accepted"] for f in of(facts, "HandoffAnswered")):
        asked |= {f["reason"] for f in offers}
    return asked


def problems(facts: Sequence[Json], expect: Expected) -> list[str]:
    """What the call lacks; empty when it ended as it must."""
    found = []
    ended = of(facts, "CallEnded")
    ending = ended[-1]["ending"] if ended else "none"
    if ending not in expect.endings:
        found.append(f"the call ended {ending}, not {' or '.join(expect.endings)}")
    if not of(facts, "Disclosed"):
        found.append("the caller was not told that a machine answers")
    peak = peak_level(facts)
    if peak not in expect.peak:
        found.append(f"the highest level was {peak}, not {' or '.join(expect.peak)}")
    handed = any(f["state"] == "HOLDING" for f in of(facts, "HandoffState"))
    if expect.handed_off is not None and handed != expect.handed_off:
        found.append("the caller was handed off" if handed else "the caller was not handed off")
    wrong = {f["reason"] for name in ("HandoffOffered", "HandoffRequested") for f in of(facts, name)} & set(
        expect.never
    )
    if wrong:
        found.append(f"a human was due for the reason {', '.join(sorted(wrong))}")
    missing = set(expect.reasons) - reasons(facts)
    if missing:
        found.append(f"no handoff for the reason {', '.join(sorted(missing))}")
    seen = iter(outcomes(facts))
    if not all(any(o == want for o in seen) for want in expect.outcomes):
        found.append(f"outcomes {outcomes(facts) or 'none'}, not {list(expect.outcomes)}")
    if ending == "with-human" and not of(facts, "LegsBridged"):
        found.append("the legs were never joined")
    if ending == "told-and-callback" and not of(facts, "CallbackTicketed"):
        found.append("no callback is on disk")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The four of a call; ``None`` where it does not apply."""

    voice_to_voice_ms: float | None
    turns: int
    to_detection_s: float | None
    to_human_s: float | None
    summary: str


def figures(facts: Sequence[Json], caller: audio.Pcm | None, strained_s: float | None) -> Figures:
    """The figures of one call.

    Args:
        facts: Its log.
        caller: The caller's own recording, shape (samples, 2), near and far: voice to voice is what that ear heard.
        strained_s: Call time at which the caller's strained voice began.
    """
    waits = [f["t"] for f in of(facts, "HandoffState") if f["state"] == "HOLDING"]
    until_s = waits[0] if waits else float("inf")
    delays = []
    if caller is not None:
        near = audio.speech_spans(caller[:, 0], audio.NEAR_SPEECH_DB)
        far = audio.speech_spans(caller[:, 1], audio.FAR_SPEECH_DB)
        delays = [t.voice_to_voice_ms for t in audio.turns(near, far) if t.said_end_s < until_s]
    distress = [f["t"] for f in of(facts, "DistressChanged") if f["level"] == "distress"]
    due = [f["t"] for f in facts if f["fact"] in ("HandoffOffered", "HandoffRequested")]
    joined = [f["t"] for f in of(facts, "LegsBridged")]
    briefings = of(facts, "BriefingBuilt")
    return Figures(
        voice_to_voice_ms=float(np.median(delays)) if delays else None,
        turns=len(delays),
        to_detection_s=distress[0] - strained_s if distress and strained_s is not None else None,
        to_human_s=joined[0] - min(distress[:1] + due[:1]) if joined and due else None,
        summary=briefings[-1]["text"] if briefings else "",
    )
