"""``/api``: calls, exports, erasure.

Hears from: programs and our own pages. Tells: `voice.store`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from voice.qa.context import Web, viewer_of, web_of
from voice.store import export, retention, reviews, search, timeline
from voice.store.calls import CallRecord, Json, open_call
from voice.store.figures import figures_of
from voice.store.retention import StillLive

router = APIRouter(prefix="/api")

Context = Annotated[Web, Depends(web_of)]
Time = Annotated[str, Query(description="RFC 3339, UTC")]


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
def erase_call(request: Request, web: Context, call_id: str) -> Response:
    """Erases a call that has ended. What stays: that it was erased, and when."""
    retention.erase(web.settings.store.dir, call_id, index=web.index, actor=viewer_of(request).name)
    return Response(status_code=204)


@router.get("/calls/{call_id}/export")
def export_call(
    request: Request,
    web: Context,
    call_id: str,
    format: Literal["jsonl", "csv", "vcon"] = "jsonl",  # noqa: A002
) -> Response:
    """The facts as they are (jsonl), one row a fact for a spreadsheet (csv), or a vCon with the recordings."""
    call = open_call(web.settings.store.dir, call_id)
    if call.live:
        raise StillLive(call_id)
    web.index.note("exported", call_id, actor=viewer_of(request).name, detail=format)
    body = export.render(call, reviews.of_call(web.index, call_id), format)
    name = {"Content-Disposition": f'attachment; filename="{call_id}.{format}"'}
    return Response(body, media_type=export.MEDIA_TYPES[format], headers=name)


@router.get("/calls/{call_id}/vcon")
def vcon_of(request: Request, web: Context, call_id: str) -> Response:
    """The call as vCon (draft-ietf-vcon-vcon-core-04)."""
    return export_call(request, web, call_id, "vcon")
