"""The figures of one call: how fast, how upset, how it ended. Pure.

Hears from: `voice.store.calls`. Tells: `voice.store.index`, `voice.qa`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from telephony.facts import LEVELS
from voice.store.calls import CallRecord, Json

BEFORE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """``None`` = did not happen or was not measured; never zero in its place."""

    voice_to_voice_p50_ms: float | None
    """End of the caller's speech to our first sound at the gateway, median over turns (`TurnTimed`)."""
    voice_to_voice_p95_ms: float | None
    turns: int
    detection_s: float | None
    """From the start of the earliest evidence named in ``because`` to the first `distress`."""
    time_to_human_s: float | None
    """From the request (or the accepted offer) to `LegsBridged`."""
    peak_level: str
    """calm, attend, distress; unknown if no window was ever scored and no level ever changed."""
    peak_score: float | None
    handoff_outcome: str
    """Of the last `HandoffState` that names one; ``none`` without a handoff."""
    handoff_target: str
    handoff_reason: str
    """Of the first offer or request: distress, request, crisis, stuck, worker-lost; empty without one."""
    end_level: str
    """The level when scoring ended, at the bridge or the end of the call; ``unknown`` as for ``peak_level``."""
    ending: str
    distress_before: float | None
    """Median P(distress) of the caller's windows in the last 30 s before the request or offer."""
    distress_waiting: float | None
    """The same from the request or offer to the bridge; nothing is scored after it."""
    intent: str
    """What the caller wanted, as understood last; empty if never."""
    details: int
    """Details of the matter that were taken down (`SlotFilled`)."""
    details_again: int
    """Of these, said again though already taken down with the same value."""
    windows: int
    windows_abstained: int
    emotion: str
    """on, off, or ``refused`` once the caller opted out."""

    def to_json(self) -> Json:
        return asdict(self)


def figures_of(call: CallRecord) -> Figures:
    turns = [float(f["total_ms"]) for f in call.of("TurnTimed") if f.get("total_ms") is not None]
    changes = call.of("DistressChanged")
    peak = max(changes, key=lambda f: (_rank(f["level"]), f["score"]), default=None)
    ended = call.of("CallEnded")
    named = [f for f in call.of("HandoffState") if f.get("outcome")]
    targets = [f["target"] for f in call.of("HandoffState") if f.get("target")]
    scored = call.of("EmotionScored")
    before, waiting = _distress_around_request(call)
    details, again = _details(call)
    asked = call.of("HandoffOffered", "HandoffRequested")
    intents = [str(f["intent"]) for f in call.of("IntentRecognised")]
    return Figures(
        voice_to_voice_p50_ms=percentile(turns, 50),
        voice_to_voice_p95_ms=percentile(turns, 95),
        turns=len(turns),
        detection_s=_detection_s(changes),
        time_to_human_s=_time_to_human_s(call),
        peak_level=str(peak["level"]) if peak else _never_changed(scored),
        peak_score=float(peak["score"]) if peak else None,
        handoff_outcome=_outcome(call, named),
        handoff_target=str(targets[-1]) if targets else "",
        handoff_reason=str((asked[0] if asked else {}).get("reason", "")),
        end_level=str(changes[-1]["level"]) if changes else _never_changed(scored),
        ending=str(ended[-1]["ending"]) if ended else "",
        distress_before=before,
        distress_waiting=waiting,
        intent=intents[-1] if intents else "",
        details=details,
        details_again=again,
        windows=len(scored),
        windows_abstained=sum(bool(f.get("abstained")) for f in scored),
        emotion=_emotion(call),
    )


def percentile(values: Sequence[float], q: int) -> float | None:
    """Linear interpolation between the two nearest; ``None`` of nothing."""
    if len(values) < 2:
        return values[0] if values else None
    return round(statistics.quantiles(values, n=100, method="inclusive")[q - 1], 1)


def _never_changed(scored: Sequence[Json]) -> str:
    return "calm" if any(not f.get("abstained") for f in scored) else "unknown"


def _rank(level: object) -> int:
    return LEVELS.index(level) if level in LEVELS else -1


def _detection_s(changes: Sequence[Json]) -> float | None:
    for f in changes:
        if f["level"] == "distress":
            starts = [float(b["start"]) for b in f.get("because", ()) if isinstance(b, dict) and "start" in b]
            return round(f["t"] - min(starts), 3) if starts else None
    return None


def _time_to_human_s(call: CallRecord) -> float | None:
    bridged = call.first("LegsBridged")
    if bridged is None:
        return None
    asked = [f["t"] for f in call.of("HandoffRequested", "HandoffAnswered") if f.get("accepted", True)]
    before = [t for t in asked if t <= bridged["t"]]
    return round(bridged["t"] - before[0], 3) if before else None


def _distress_around_request(call: CallRecord) -> tuple[float | None, float | None]:
    asked = next((float(f["t"]) for f in call.of("HandoffOffered", "HandoffRequested")), None)
    if asked is None:
        return None, None
    bridged = call.first("LegsBridged")
    until = float(bridged["t"]) if bridged else call.duration_s
    known = [(float(f["end"]), float(f["p_distress"])) for f in call.of("EmotionScored") if _is_number(f["p_distress"])]
    before = [p for end, p in known if asked - BEFORE_S <= end <= asked]
    waiting = [p for end, p in known if asked < end <= until]
    return (
        round(statistics.median(before), 3) if before else None,
        round(statistics.median(waiting), 3) if waiting else None,
    )


def _is_number(x: object) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def _details(call: CallRecord) -> tuple[int, int]:
    """A detail corrected to another value is no repetition."""
    held: dict[str, str] = {}
    again = 0
    for f in call.of("SlotFilled"):
        again += held.get(str(f["name"])) == str(f["value"])
        held[str(f["name"])] = str(f["value"])
    return len(held), again


def _outcome(call: CallRecord, named: Sequence[Json]) -> str:
    if call.first("LegsBridged") and not any(f["outcome"] == "human-dropped" for f in named):
        return "accepted"
    if named:
        return str(named[-1]["outcome"])
    return "open" if call.of("HandoffState") else "none"


def _emotion(call: CallRecord) -> str:
    if any(f["purpose"] == "emotion" and not f["allowed"] for f in call.of("ConsentChanged")):
        return "refused"
    answered = call.first("CallAnswered") or {}
    return str(answered.get("versions", {}).get("analyse_emotion", "on" if call.of("EmotionScored") else "off"))
