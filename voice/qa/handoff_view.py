"""What a human sees of a caller before taking the call: who, what, why now, the words so far. Pure.

No score of a voice is in it, and nothing of the human: only what the briefing would say, and the caller's own words.

Hears from: the call's facts. Tells: `voice.qa.handoff`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from telephony.sip_headers import number_of
from telephony.summary import summarise
from voice.store.calls import CallRecord, Json

WHY = {
    "distress": "The caller sounds or speaks upset and agreed to a person.",
    "request": "The caller asked for a person.",
    "crisis": "The caller spoke of danger to life. They were given the crisis number.",
    "stuck": "The agent could not go on.",
    "worker-lost": "The agent failed in the middle of the call.",
}
HEADINGS = {"who": "Who", "need": "What about", "done": "Done so far", "state": "How they are", "next": "Please"}
ACCEPT = {"SCREENING": "Hear the summary", "BRIEFING": "Take the caller", "DECIDING": "Take the caller"}
"""What the key 1, and so the button, does in each state."""
_OVER = ("FAILED", "IDLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence of caller or agent, for the transcript and the captions."""

    seq: int
    who: str
    start: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffPage:
    number: str
    why: str
    text: str
    state: str
    fields: tuple[tuple[str, str], ...]
    slots: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    lines: tuple[Line, ...]
    bridged: bool


def is_over(facts: Iterable[Json], attempt: int) -> bool:
    """Whether the human rung as number ``attempt`` of this call no longer has to do with it."""
    n, over = 0, False
    for f in facts:
        if f["fact"] == "CallEnded":
            return True
        if f["fact"] != "HandoffState":
            continue
        if f["state"] == "DIALLING":
            n += 1
            over = False
        over = over or (n == attempt and f["state"] in _OVER)
    return over or n != attempt


def line_of(f: Json) -> Line | None:
    """A fact as a line that both caller and agent know of; None for everything else, the human's words above all."""
    said = f["fact"] == "Said" and f.get("leg") == "caller"
    heard = f["fact"] == "Transcribed" and f.get("leg") == "caller" and f.get("final", True)
    if not (said or heard) or not str(f.get("text", "")).strip():
        return None
    return Line(seq=f["seq"], who="caller" if heard else "agent", start=float(f["start"]), text=str(f["text"]))


def page_of(call: CallRecord) -> HandoffPage:
    """As far as the call has come."""
    summary = summarise(call.call_id, call.facts)
    states = call.of("HandoffState")
    levels = call.of("DistressChanged")
    because = levels[-1].get("because", ()) if levels and levels[-1].get("level") != "calm" else ()
    return HandoffPage(
        number=number_of(str(summary.get("from", ""))),
        why=WHY.get(str(states[-1].get("reason") if states else ""), ""),
        text=str(summary["text"]),
        state=str(states[-1]["state"]) if states else "IDLE",
        fields=tuple((HEADINGS.get(k, k), _text(v)) for k, v in summary["fields"].items()),
        slots=tuple((k.replace("_", " "), str(v["value"])) for k, v in summary["slots"].items()),
        reasons=tuple(str(b["value"]) for b in because if b.get("kind") in ("words", "dialogue")),
        lines=tuple(line for f in call.facts if (line := line_of(f)) is not None),
        bridged=bool(call.of("LegsBridged")),
    )


def _text(field: Any) -> str:
    if not isinstance(field, dict):
        return str(field)
    return ", ".join(filter(None, (str(field.get("text", "")), str(field.get("extra") or ""))))
