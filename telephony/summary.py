"""``summary.json``: what the next person needs to know, from the facts alone. Pure.

Hears from: a call, recovery. Tells: the call folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FactJson = dict[str, Any]


def summarise(call_id: str, facts: Iterable[FactJson]) -> dict[str, Any]:
    """The newest briefing with its evidence, intent, slots, outcome, times; for a call without a briefing too."""
    out: dict[str, Any] = {
        "call": call_id, "text": "", "fields": {}, "intent": None, "slots": {}, "level": "unknown",
        "mode": None, "reason": "", "review": "",
        "handoffs": [], "callback": None, "ending": None, "cause": None, "times": {},
    }  # fmt: skip
    times = out["times"]
    for f in facts:
        match f["fact"]:
            case "CallAnswered":
                out |= {"from": f["from"], "to": f["to"], "answered_at": f["at"]}
            case "BriefingBuilt":
                out |= {"text": f["text"], "fields": f["fields"]}
                times["briefing_built"] = f["t"]
            case "IntentRecognised":
                out["intent"] = {k: f[k] for k in ("intent", "confidence", "start", "end")}
            case "ModeChanged":
                out["mode"] = f["mode"]
            case "SlotFilled":
                out["slots"][f["name"]] = {k: f[k] for k in ("value", "confidence", "start", "end")}
            case "DistressChanged":
                out["level"] = f["level"]
                if f["level"] == "distress":
                    times.setdefault("distress", f["t"])
            case "HandoffOffered" | "HandoffRequested":
                out["reason"] = f["reason"]
                if f["reason"] == "crisis":
                    out["review"] = "crisis"
                times.setdefault("handoff_due", f["t"])
            case "HandoffState":
                if f.get("outcome"):
                    out["handoffs"].append({k: f[k] for k in ("t", "target", "outcome", "reason")})
            case "LegsBridged":
                times.setdefault("bridged", f["t"])
            case "CallbackPlaced":
                out["callback_of"] = {k: f[k] for k in ("ref", "first_call", "attempt")}
            case "CallbackTicketed":
                out["callback"] = {k: f[k] for k in ("ref", "number", "window")}
            case "CallEnded":
                out |= {"ending": f["ending"], "cause": f["cause"]}
                times["ended"] = f["t"]
    return out
