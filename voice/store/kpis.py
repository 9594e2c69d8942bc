"""The figures of many calls: by day, with their definitions. Everything from the index, nothing after the bridge.

Hears from: `voice.store.index`. Tells: `voice.qa.insight`.
"""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import sqlalchemy as sa

from voice.store import outcomes, schema, tables
from voice.store.calls import Json
from voice.store.index import Index, utc

RECONTACT = timedelta(days=7)

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
    "recontact": "Contained calls whose caller called again within 7 days, about the same matter where both are known.",
    "distress_before": "Median over calls of the caller's median P(distress) in the last 30 s before the request.",
    "distress_waiting": "The same from the request to the bridge. Nothing is scored after it. Callers alone.",
    "details_again": "Share of details that callers had to say again though already taken down with that value.",
    "first_contact": "Share of contained calls whose caller did not call again within 7 days; abandoned calls aside.",
    "resolution_s": "Median length of contained calls [s].",
    "calmed": "Of the calls that reached distress: those below it again at the bridge or the end. By the ear alone.",
    "csat": "Share of 4 and 5 among satisfaction scores of 1 to 5 that other systems reported.",
    "answers": "Calls for which a satisfaction score was reported: read csat beside it.",
    "nps": "Share of 9 and 10 less share of 0 to 6 among reported recommendation scores, times 100.",
    "cost": "Mean cost of a call as other systems reported it, in the operator's currency.",
    "settled": "Calls that other systems report as settled, of those they report on.",
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
    recontact: int
    distress_before: float | None
    distress_waiting: float | None
    details_again: float | None
    to_detection_s: float | None
    to_human_s: float | None
    voice_to_voice_ms: float | None
    first_contact: float | None
    resolution_s: float | None
    calmed: float | None
    csat: float | None
    answers: int
    nps: float | None
    cost: float | None
    settled: float | None


def by_day(index: Index, since: str = "", until: str = "") -> list[Row]:
    """Days newest first; the last row, ``day`` = "all", is over every call. Bounds as RFC 3339, ``until`` exclusive."""
    with index.engine.connect() as connection:
        calls = _ended(connection, since, until)
        again, said = _recontacted(connection, calls), outcomes.known(connection)
    for call in calls:
        call["recontact"] = call["id"] in again
        call |= said.get(call["id"], dict.fromkeys(outcomes.FIELDS))
    days: dict[str, list[Json]] = {}
    for call in calls:
        days.setdefault(str(call["started_at"])[:10] or "unknown", []).append(call)
    return [*(_row(day, days[day]) for day in sorted(days, reverse=True)), _row("all", calls)]


def to_csv(rows: Sequence[Row] | Sequence[Issue] | Sequence[Handoffs]) -> str:
    columns = [f.name for f in fields(rows[0] if rows else Row)]
    return tables.to_csv(columns, ([getattr(r, c) for c in columns] for r in rows))


def _row(day: str, calls: Sequence[Json]) -> Row:
    levels, endings = (Counter(str(c[k]) for c in calls) for k in ("peak_level", "ending"))
    alone = [c for c in calls if c["ending"] == "resolved" and c["handoff_outcome"] != "accepted"]
    upset = [c for c in calls if c["peak_level"] == "distress"]
    csat, nps, costs, settled = ([c[k] for c in calls if c[k] is not None] for k in ("csat", "nps", "cost", "resolved"))
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
        recontact=sum(c["recontact"] for c in alone),
        distress_before=_median(calls, "distress_before"),
        distress_waiting=_median(calls, "distress_waiting"),
        details_again=_share(sum(c["details_again"] for c in calls), sum(c["details"] for c in calls)),
        to_detection_s=_median(calls, "detection_s"),
        to_human_s=_median(calls, "time_to_human_s"),
        voice_to_voice_ms=_median(calls, "voice_to_voice_p50_ms"),
        first_contact=_share(sum(not c["recontact"] for c in alone), len(alone)),
        resolution_s=_median(alone, "duration_s"),
        calmed=_share(sum(c["end_level"] != "distress" for c in upset), len(upset)),
        csat=_share(sum(x >= 4 for x in csat), len(csat)),
        answers=len(csat),
        nps=round(100 * (sum(x >= 9 for x in nps) - sum(x <= 6 for x in nps)) / len(nps), 1) if nps else None,
        cost=round(statistics.fmean(costs), 2) if costs else None,
        settled=_share(sum(settled), len(settled)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoffs:
    """Handoffs of one reason that ended one way."""

    reason: str
    outcome: str
    calls: int
    to_human_s: float | None


def handoffs(index: Index, since: str = "", until: str = "") -> list[Handoffs]:
    """Why humans were called and what came of it, the most frequent reason first."""
    with index.engine.connect() as connection:
        calls = [c for c in _ended(connection, since, until) if c["handoff_outcome"] != "none"]
    groups: dict[tuple[str, str], list[Json]] = {}
    for call in calls:
        groups.setdefault((str(call["handoff_reason"]), str(call["handoff_outcome"])), []).append(call)
    asked = Counter(str(call["handoff_reason"]) for call in calls)
    found = [
        Handoffs(reason=r, outcome=o, calls=len(g), to_human_s=_median(g, "time_to_human_s"))
        for (r, o), g in groups.items()
    ]
    return sorted(found, key=lambda x: (-asked[x.reason], x.reason, -x.calls, x.outcome))


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One matter that callers had, as understood. ``intent`` is empty where none was."""

    intent: str
    calls: int
    distress: int
    accepted: int
    recontact: int


def issues(index: Index, since: str = "", until: str = "") -> list[Issue]:
    """Recurring issues, the most frequent first."""
    with index.engine.connect() as connection:
        calls = _ended(connection, since, until)
        again = _recontacted(connection, calls)
    matters: dict[str, list[Json]] = {}
    for call in calls:
        matters.setdefault(str(call["intent"]), []).append(call)
    found = [
        Issue(
            intent=intent,
            calls=len(group),
            distress=sum(x["peak_level"] == "distress" for x in group),
            accepted=sum(x["handoff_outcome"] == "accepted" for x in group),
            recontact=sum(x["id"] in again for x in group),
        )
        for intent, group in matters.items()
    ]
    return sorted(found, key=lambda x: (-x.calls, x.intent))


def _ended(connection: sa.Connection, since: str, until: str) -> list[Json]:
    c = schema.calls.c
    wanted = [c.ending != "", c.broken == "", *([c.started_at >= since] if since else [])]
    wanted += [c.started_at < until] if until else []
    return [dict(r) for r in connection.execute(sa.select(schema.calls).where(*wanted)).mappings()]


def _recontacted(connection: sa.Connection, calls: Sequence[Json]) -> set[str]:
    """Ids of calls that the same caller followed within `RECONTACT`, whenever that was."""
    c = schema.calls.c
    rows = connection.execute(sa.select(c.id, c.caller, c.started_at, c.intent).order_by(c.started_at)).all()
    by_caller: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        if row.caller and "anonymous" not in row.caller.lower() and row.started_at:
            by_caller.setdefault(row.caller, []).append((row.started_at, row.id, row.intent))
    asked, out = {str(x["id"]) for x in calls}, set()
    for group in by_caller.values():
        for n, (at, call_id, intent) in enumerate(group):
            limit = utc((datetime.fromisoformat(at) + RECONTACT).isoformat())
            later = itertools.takewhile(lambda x, limit=limit: x[0] <= limit, group[n + 1 :])  # type: ignore[misc]
            if call_id in asked and any(not intent or not other or other == intent for _, _, other in later):
                out.add(call_id)
    return out


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _median(calls: Sequence[Json], column: str) -> float | None:
    values = [float(c[column]) for c in calls if c[column] is not None]
    return round(statistics.median(values), 2) if values else None
