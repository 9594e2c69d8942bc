"""``/api``: calls, reviews, erasure.

Hears from: programs and our own pages. Tells: `voice.store`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from voice.qa.context import Web, web_of
from voice.qa.context_of_call import versions_of
from voice.qa.problems import Problem
from voice.store import export, retention, reviews, search, timeline
from voice.store.calls import CallRecord, Json, open_call
from voice.store.figures import figures_of
from voice.store.retention import StillLive

router = APIRouter(prefix="/api")

Context = Annotated[Web, Depends(web_of)]
Time = Annotated[str, Query(description="RFC 3339, UTC")]


class RangeIn(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    start: float = Field(ge=0)
    end: float = Field(ge=0)
    kind: Literal["distress", "transcript", "reply", "remark"] = "remark"
    level: Literal["", "calm", "attend", "distress", "cannot-tell"] = ""
    text: str = Field("", max_length=2000)


class ReviewIn(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reviewer: str = Field(min_length=1, max_length=80)
    verdict: reviews.Verdict
    level: Literal["", "calm", "attend", "distress"] = ""
    comment: str = Field("", max_length=4000)
    answers: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)
    ranges: list[RangeIn] = Field(default_factory=list, max_length=200)


@router.get("/calls")
def list_calls(
    web: Context,
    q: str = Query("", max_length=200, description="words said in the call"),
    ending: str = "",
    level: str = "",
    outcome: str = "",
    reviewer: str = "",
    since: Time = "",
    until: Time = "",
    live: bool | None = None,
    broken: bool | None = None,
    reviewed: bool | None = None,
    disagreement: bool | None = None,
    limit: int = Query(50, ge=1, le=search.MAX_LIMIT),
    cursor: str = "",
) -> dict[str, Any]:
    """Calls, newest first; ``next`` is the cursor of the following page, empty at the end."""
    query = search.Query(
        words=q, ending=ending, level=level, outcome=outcome, reviewer=reviewer, since=since, until=until, live=live,
        broken=broken, reviewed=reviewed, disagreement=disagreement, limit=limit, cursor=cursor,
    )  # fmt: skip
    return asdict(search.find(web.index, query))


@router.get("/calls/{call_id}")
def one_call(web: Context, call_id: str) -> dict[str, Any]:
    """Everything about a call: its facts as committed, decisions, summary, figures, and the marked time axis."""
    return describe(open_call(web.settings.store.dir, call_id))


def describe(call: CallRecord) -> Json:
    return {
        "id": call.call_id,
        "live": call.live,
        "broken": call.broken,
        "duration_s": call.duration_s,
        "outcome": figures_of(call).ending,
        "figures": figures_of(call).to_json(),
        "legs": call.legs(),
        "facts": call.facts,
        "decisions": call.decisions,
        "summary": call.summary,
        "timeline": {
            "levels": [asdict(b) for b in timeline.level_bands(call)],
            "states": [asdict(b) for b in timeline.state_bands(call)],
            "holds": [asdict(b) for b in timeline.hold_bands(call)],
            "markers": [asdict(m) for m in timeline.markers(call)],
            "speech": {leg: timeline.speech_spans(call, leg) for leg in ("caller", "agent", "human")},
        },
    }


@router.delete("/calls/{call_id}", status_code=204)
def erase_call(web: Context, call_id: str) -> Response:
    """Erases a call that has ended. What stays: that it was erased, and when."""
    retention.erase(web.settings.store.dir, call_id, index=web.index, actor="web")
    return Response(status_code=204)


@router.get("/calls/{call_id}/reviews")
def list_reviews(web: Context, call_id: str) -> list[Json]:
    """All versions of all reviews, newest first."""
    open_call(web.settings.store.dir, call_id)
    return reviews.of_call(web.index, call_id)


@router.post("/calls/{call_id}/reviews", status_code=201)
def add_review(web: Context, call_id: str, review: ReviewIn, response: Response) -> Json:
    """Adds a review. A second one by the same reviewer is the next version, not a change of the first."""
    call = open_call(web.settings.store.dir, call_id)
    if unknown := set(review.answers) - set(reviews.QUESTIONS):
        raise Problem(422, f"answers: no question {sorted(unknown)[0]!r} on form {reviews.FORM}")
    if any(r.end < r.start for r in review.ranges):
        raise Problem(422, "ranges: a range ends before it starts")
    given = reviews.Review(
        reviewer=review.reviewer.strip() or "unnamed",
        verdict=review.verdict,
        level=review.level,
        comment=review.comment,
        answers=dict(review.answers),
        ranges=tuple(
            reviews.Range(start=r.start, end=r.end, kind=r.kind, level=r.level, text=r.text) for r in review.ranges
        ),
    )
    stored = reviews.add(web.index, call_id, given, versions_of(call))
    response.headers["Location"] = f"/api/calls/{call_id}/reviews"
    return stored


@router.get("/calls/{call_id}/export")
def export_call(web: Context, call_id: str, format: Literal["jsonl", "csv", "vcon"] = "jsonl") -> Response:  # noqa: A002
    """The facts as they are (jsonl), one row a fact for a spreadsheet (csv), or a vCon with the recordings."""
    call = open_call(web.settings.store.dir, call_id)
    if call.live:
        raise StillLive(call_id)
    web.index.note("exported", call_id, actor="web", detail=format)
    body = export.render(call, reviews.of_call(web.index, call_id), format)
    name = {"Content-Disposition": f'attachment; filename="{call_id}.{format}"'}
    return Response(body, media_type=export.MEDIA_TYPES[format], headers=name)


@router.get("/calls/{call_id}/vcon")
def vcon_of(web: Context, call_id: str) -> Response:
    """The call as vCon (draft-ietf-vcon-vcon-core-04)."""
    return export_call(web, call_id, "vcon")
