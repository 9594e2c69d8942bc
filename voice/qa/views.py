"""From a call to what the replay page shows as text: turns, decisions, briefing. Pure.

Hears from: `voice.store.calls`. Tells: the templates.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from voice.store.calls import CallRecord, Json

SPEAKERS = {"caller": "Caller", "agent": "Agent", "human": "Human"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something said. ``private``: the caller could not hear it."""

    seq: int
    who: str
    start: float
    end: float
    text: str
    words: tuple[tuple[float, float, str], ...] = ()
    private: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A decision with all it rests on, as far as the record says."""

    seq: int
    t: float
    title: str
    kind: str
    level: str
    rule: str
    threshold: float | None
    score: float | None
    inputs: dict[str, Any]
    because: tuple[Json, ...]
    versions: dict[str, Any]
    hash: str
    heaviest: float
    """Largest weight among the reasons: what the bars are drawn against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefingField:
    name: str
    value: str
    spans: tuple[tuple[float, float], ...]


def turns(call: CallRecord) -> list[Turn]:
    """Everything said on any leg, in order of its start."""
    bridged = call.first("LegsBridged")
    bridged_s = float(bridged["t"]) if bridged else float("inf")
    out = [*_heard(call, bridged_s), *_said(call)]
    return sorted(out, key=lambda x: (x.start, x.seq))


def _heard(call: CallRecord, bridged_s: float) -> Iterator[Turn]:
    for f in call.of("Transcribed"):
        if f.get("final", True):
            leg = str(f["leg"])
            yield Turn(
                seq=f["seq"],
                who=leg,
                start=f["start"],
                end=f["end"],
                text=str(f["text"]),
                words=tuple(_words(f.get("words"))) or _shared(str(f["text"]), f["start"], f["end"]),
                private=leg == "human" and f["start"] < bridged_s and bool(call.of("HandoffState")),
                note=_refused(f),
            )


def _refused(f: Json) -> str:
    """Why a turn has no words, and what the likeliest would have been."""
    why = {"noise": "not understood for noise", "unsure": "not understood"}.get(str(f.get("refused", "")), "")
    perhaps = [str(a) for a in f.get("alternatives") or ()]
    return f"{why}; perhaps “{perhaps[0]}”" if why and perhaps else why


def _said(call: CallRecord) -> Iterator[Turn]:
    for f in call.of("Said"):
        notes = ("cut off",) if f.get("cut") else ()
        yield Turn(
            seq=f["seq"],
            who="agent",
            start=f["start"],
            end=f["end"],
            text=str(f["text"]),
            words=_shared(str(f["text"]), f["start"], f["end"]),
            private=f["leg"] == "human",
            note=", ".join((*(("to the human alone",) if f["leg"] == "human" else ()), *notes)),
        )


def _words(raw: object) -> Iterator[tuple[float, float, str]]:
    if not isinstance(raw, list):
        return
    for item in raw:
        match item:
            case [int() | float() as start, int() | float() as end, str() as word]:
                yield float(start), float(end), word


def _shared(text: str, start: float, end: float) -> tuple[tuple[float, float, str], ...]:
    """Words by their share of letters, until they are measured."""
    words = text.split()
    edges = [0.0, *itertools.accumulate(len(w) + 1.5 for w in words)]
    scale = (end - start) / (edges[-1] or 1.0)
    return tuple(
        (round(start + a * scale, 3), round(start + b * scale, 3), w)
        for a, b, w in zip(edges, edges[1:], words, strict=False)
    )


def decisions(call: CallRecord) -> list[Why]:
    """Every fact that names reasons or has a line in ``decisions.jsonl``, in order."""
    by_fact = {d.get("fact_seq"): d for d in call.decisions}
    return [_why(f, by_fact.get(f["seq"], {})) for f in call.facts if f["seq"] in by_fact or f.get("because")]


def _why(f: Json, d: Json) -> Why:
    because = f.get("because") or d.get("because") or ()
    inputs, versions, threshold = d.get("inputs"), d.get("versions"), d.get("threshold")
    score = f.get("score")
    reasons = tuple({**_NO_REASON, **b} for b in because if isinstance(b, dict))
    weights = [float(b["weight"]) for b in reasons if isinstance(b["weight"], (int, float))]
    return Why(
        seq=f["seq"],
        t=f["t"],
        title=_title(f),
        kind=str(f["fact"]),
        level=str(f.get("level", "")),
        rule=str(d.get("rule", "")),
        threshold=float(threshold) if isinstance(threshold, (int, float)) else None,
        score=float(score) if isinstance(score, (int, float)) else None,
        inputs=inputs if isinstance(inputs, dict) else {},
        because=reasons,
        heaviest=max([1.0, *weights]),
        versions=versions if isinstance(versions, dict) else {},
        hash=str(d.get("hash", "")),
    )


_NO_REASON: Json = {
    "kind": "", "start": None, "end": None, "name": "", "value": None, "unit": "", "reference": None, "weight": 0.0,
}  # fmt: skip

_TITLES = {
    "DistressChanged": "Distress: {level}",
    "HandoffOffered": "A human is offered: {reason}",
    "HandoffQueued": "Every human is with another caller; place in line: {place}",
    "HandoffRequested": "A human is called: {reason}",
    "HandoffState": "Handoff: {state}",
    "HandoffAnswered": "Caller answers the offer",
    "ConsentChanged": "Consent changed: {purpose}",
    "BargedIn": "Agent stops for the caller",
    "CallEnded": "Call ends: {ending}",
    "LegsBridged": "Caller and human joined",
    "IntentRecognised": "Understood: {intent}",
    "ModeChanged": "Led: {mode}",
    "Chosen": "A language model chose: {kind} {name} {refused}",
    "ConsentHeard": "Human says: {intent}",
}


def _title(f: Json) -> str:
    pattern = _TITLES.get(f["fact"])
    return pattern.format_map({k: str(v) for k, v in f.items()}) if pattern else str(f["fact"])


def briefing(call: CallRecord) -> tuple[str, list[BriefingField]]:
    """Text and fields of the summary for the human, each with the spans of speech it rests on."""
    built = call.of("BriefingBuilt")
    source = call.summary or (built[-1] if built else {})
    fields = source.get("fields")
    if not isinstance(fields, dict):
        fields = {k: v for k, v in source.items() if k not in ("text", "spoken", "seq", "t", "fact")}
    text = source.get("text") or source.get("spoken") or ""
    return str(text), [
        BriefingField(name=str(name).replace("_", " "), value=_shown(x), spans=tuple(sorted(set(_spans(x)))))
        for name, x in fields.items()
        if not str(name).startswith("_")
    ]


def _shown(x: object) -> str:
    if isinstance(x, dict):
        for key in ("value", "text"):
            if key in x:
                return ", ".join(filter(None, (_shown(x[key]), str(x.get("extra") or ""))))
        return ", ".join(f"{k}: {_shown(v)}" for k, v in x.items() if k not in ("start", "end", "evidence", "spans"))
    if isinstance(x, (list, tuple)):
        return "; ".join(filter(None, map(_shown, x)))
    if x is None or x == "":
        return "unknown"
    return f"{x:.3g}" if isinstance(x, float) else str(x)


def _spans(x: object) -> Iterator[tuple[float, float]]:
    """Every ``start``/``end`` pair at any depth."""
    if isinstance(x, dict):
        match x.get("start"), x.get("end"):
            case (int() | float() as start, int() | float() as end):
                yield float(start), float(end)
        for v in x.values():
            yield from _spans(v)
    elif isinstance(x, (list, tuple)):
        for v in x:
            yield from _spans(v)
