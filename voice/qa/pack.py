"""The monthly review pack: one folder with a page to read or print, and every figure of it as CSV.

Hears from: `voice.store`. Tells: whoever leads the team.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa
from markupsafe import Markup

from voice.errors import UserError
from voice.qa import rendering
from voice.store import agreement, corrections, disputes, forms, kpis, schema, tables
from voice.store.calls import Json
from voice.store.index import Index

TO_HEAR = 25
"""Calls named to be heard together at most: what a team hears in a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question's answers in the newest review of each reviewer and call."""

    key: str
    text: str
    answers: int
    mean: float | None
    lowest: int | None


def bounds(month: str) -> tuple[str, str]:
    """First moment of a month and of the next, RFC 3339, UTC.

    Raises:
        UserError: Not a month.
    """
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", month)
    if found is None:
        raise UserError(f"--month {month}: give a month as 2026-11")
    year, number = int(found[1]), int(found[2])
    after = f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"
    return f"{month}-01T00:00:00Z", f"{after}-01T00:00:00Z"


def write(store: Path, month: str, out: Path) -> int:
    """Writes the pack into ``out`` and returns the number of calls in it; of the store only the index changes.

    Raises:
        UserError: Not a month, or ``out`` holds something already.
    """
    since, until = bounds(month)
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out}: not empty; name another folder with --out")
    index = Index.open(store)
    try:
        index.scan(everything=True)
        calls, reviews = _calls(index, since, until), _reviews(index, since, until)
        out.mkdir(parents=True, exist_ok=True)
        known = forms.load(store)
        rows, issues = kpis.by_day(index, since, until), kpis.issues(index, since, until)
        handed = kpis.handoffs(index, since, until)
        levels = {str(c["id"]): str(c["peak_level"]) for c in calls}
        agreed = agreement.of_reviews(reviews, levels, forms.texts(known.values()))
        asked = _questions(_newest(reviews), forms.texts(known.values()))
        with (out / "corrections.zip").open("wb") as file:
            snippets = corrections.write_zip(index, file, calls=set(levels))
        index.note("exported", "", actor="review-pack", detail=f"{month}, {len(calls)} calls")
    finally:
        index.close()
    for name, text in (
        ("figures.csv", kpis.to_csv(rows)),
        ("issues.csv", kpis.to_csv(issues) if issues else ""),
        ("handoffs.csv", kpis.to_csv(handed) if handed else ""),
        ("agreement.csv", _csv([asdict(a) for a in agreed])),
        ("questions.csv", _csv([asdict(q) for q in asked])),
        ("reviews.csv", _csv([_flat(r) for r in reviews])),
    ):
        (out / name).write_text(text, "utf-8")
    page = rendering.environment.get_template("pack.html").render(
        month=month,
        total=rows[-1],
        days=rows[:-1],
        top=max((r.calls for r in rows[:-1]), default=1),
        definitions=kpis.DEFINITIONS,
        issues=issues,
        agreement=agreed,
        questions=asked,
        states=Counter(str(r["state"]) for r in reviews),
        order=disputes.STATES,
        handoffs=handed,
        reviewed=len({r["call_id"] for r in reviews}),
        failed=[r for r in _newest(reviews) if r["fatal"]],
        snippets=snippets,
        hear=_to_hear(calls, reviews),
        style=Markup(rendering.asset("style.css").decode().replace('url("icon.svg")', "none")),  # noqa: S704 - our own file
    )
    (out / "index.html").write_text(page, "utf-8")
    return len(calls)


def _calls(index: Index, since: str, until: str) -> list[Json]:
    c = schema.calls.c
    query = sa.select(schema.calls).where(c.started_at >= since, c.started_at < until, c.ending != "", c.broken == "")
    with index.engine.connect() as connection:
        return [dict(x) for x in connection.execute(query.order_by(c.started_at)).mappings()]


def _reviews(index: Index, since: str, until: str) -> list[Json]:
    """Reviews of the month's calls with their states, whenever they were written."""
    r, c = schema.reviews.c, schema.calls.c
    month = sa.select(c.id).where(c.started_at >= since, c.started_at < until)
    with index.engine.connect() as connection:
        query = sa.select(schema.reviews).where(r.call_id.in_(month)).order_by(r.id)
        found = [dict(x) for x in connection.execute(query).mappings()]
    return disputes.with_states(index, found)


def _newest(reviews: Sequence[Json]) -> list[Json]:
    return list({(r["reviewer"], r["call_id"]): r for r in sorted(reviews, key=lambda r: int(r["version"]))}.values())


def _questions(newest: Sequence[Json], texts: dict[str, str]) -> list[Question]:
    out = []
    for key, text in texts.items():
        given = [int(r["answers"][key]) for r in newest if key in r["answers"]]
        mean = round(statistics.fmean(given), 2) if given else None
        out.append(Question(key=key, text=text, answers=len(given), mean=mean, lowest=min(given, default=None)))
    return out


def _to_hear(calls: Sequence[Json], reviews: Sequence[Json]) -> list[tuple[Json, str]]:
    """Calls worth hearing together, each with why: disputes first, then failures, disagreement, upset and contained."""
    by_call: dict[str, list[Json]] = {}
    for r in _newest(reviews):
        by_call.setdefault(str(r["call_id"]), []).append(r)
    found: list[tuple[int, Json, str]] = []
    for call in calls:
        given = by_call.get(str(call["id"]), [])
        levels = {str(r["level"]) for r in given if r["level"]}
        if any(r["state"] == "disputed" for r in given):
            found.append((0, call, "the review is disputed"))
        elif any(r["fatal"] for r in given):
            found.append((1, call, "a fatal answer"))
        elif levels - {call["peak_level"]}:
            found.append((2, call, f"people heard {', '.join(sorted(levels))}, the ear {call['peak_level']}"))
        elif (
            call["ending"] == "resolved" and call["peak_level"] == "distress" and call["handoff_outcome"] != "accepted"
        ):
            found.append((3, call, "upset and contained"))
        elif call["handoff_outcome"] not in ("none", "accepted"):
            found.append((4, call, f"the handoff ended: {call['handoff_outcome']}"))
    found.sort(key=lambda x: (x[0], x[1]["started_at"]))
    return [(call, why) for _, call, why in found[:TO_HEAR]]


def _flat(r: Json) -> Json:
    names = ("call_id", "reviewer", "version", "at", "verdict", "level", "form", "score", "state", "comment")
    answers = " ".join(f"{k}={v}" for k, v in r["answers"].items())
    return {**{k: r[k] for k in names}, "fatal": " ".join(r["fatal"] or ()), "answers": answers}


def _csv(rows: Sequence[Json]) -> str:
    return tables.to_csv(list(rows[0]), [list(r.values()) for r in rows]) if rows else ""
