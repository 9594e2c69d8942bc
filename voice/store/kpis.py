"""The figures of many calls: by day, with their definitions. Everything from the index, nothing after the bridge.

Hears from: `voice.store.index`. Tells: `voice.qa.insight`.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa

from voice.store import schema
from voice.store.calls import Json
from voice.store.index import Index

DEFINITIONS: dict[str, str] = {
    "day": "Day on which the call was answered, UTC.",
    "calls": "Calls that have ended.",
    "attend": "Calls whose level reached attend and no more.",
    "distress": "Calls whose level reached distress.",
    "unknown": "Calls whose level nobody could tell: emotion off, refused, or never enough speech. Not calm.",
    "handoffs": "Calls in which a human was offered or rung.",
    "accepted": "Handoffs that joined caller and human.",
    "callbacks": "Calls that ended with a promise to call back.",
    "left": "Calls that the caller ended before they were resolved.",
    "contained": "Calls resolved without a human. Read it beside distress: a contained upset caller is no success.",
    "contained_upset": "Calls resolved without a human although their level reached distress.",
    "to_detection_s": "Median time from the start of the earliest evidence to the decision that it is distress [s].",
    "to_human_s": "Median time from the request, or the accepted offer, to caller and human being joined [s].",
    "voice_to_voice_ms": "Median over calls of each call's median time from end of speech to our first sound [ms].",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One day, or all. See `DEFINITIONS`."""

    day: str
    calls: int
    attend: int
    distress: int
    unknown: int
    handoffs: int
    accepted: int
    callbacks: int
    left: int
    contained: int
    contained_upset: int
    to_detection_s: float | None
    to_human_s: float | None
    voice_to_voice_ms: float | None


def by_day(index: Index, since: str = "", until: str = "") -> list[Row]:
    """Days newest first; the last row, ``day`` = "all", is over every call. Bounds as RFC 3339, ``until`` exclusive."""
    c = schema.calls.c
    wanted = [c.ending != "", c.broken == "", *([c.started_at >= since] if since else [])]
    wanted += [c.started_at < until] if until else []
    with index.engine.connect() as connection:
        calls = [dict(r) for r in connection.execute(sa.select(schema.calls).where(*wanted)).mappings()]
    days: dict[str, list[Json]] = {}
    for call in calls:
        days.setdefault(str(call["started_at"])[:10] or "unknown", []).append(call)
    return [*(_row(day, days[day]) for day in sorted(days, reverse=True)), _row("all", calls)]


def to_csv(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, [f.name for f in fields(Row)])
    table.writeheader()
    table.writerows(asdict(r) for r in rows)
    return out.getvalue()


def _row(day: str, calls: Sequence[Json]) -> Row:
    levels, endings = (Counter(str(c[k]) for c in calls) for k in ("peak_level", "ending"))
    alone = [c for c in calls if c["ending"] == "resolved" and c["handoff_outcome"] != "accepted"]
    return Row(
        day=day,
        calls=len(calls),
        attend=levels["attend"],
        distress=levels["distress"],
        unknown=levels["unknown"],
        handoffs=sum(c["handoff_outcome"] != "none" for c in calls),
        accepted=sum(c["handoff_outcome"] == "accepted" for c in calls),
        callbacks=endings["told-and-callback"],
        left=endings["caller-left"],
        contained=len(alone),
        contained_upset=sum(c["peak_level"] == "distress" for c in alone),
        to_detection_s=_median(calls, "detection_s"),
        to_human_s=_median(calls, "time_to_human_s"),
        voice_to_voice_ms=_median(calls, "voice_to_voice_p50_ms"),
    )


def _median(calls: Sequence[Json], column: str) -> float | None:
    values = [float(c[column]) for c in calls if c[column] is not None]
    return round(statistics.median(values), 2) if values else None
