"""The pages people see: calls, replay, its table, sign-in; and the files these load.

Hears from: browsers. Tells: browsers.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from telephony.facts import ENDINGS, LEVELS, OUTCOMES
from voice.qa import rendering, views
from voice.qa.context import Web, viewer_of, web_of
from voice.qa.context_of_call import replay_context
from voice.qa.problems import Problem
from voice.qa.reviewing import about, shown
from voice.store import forms, outcomes, reviews, search, timeline
from voice.store.calls import open_call
from voice.store.index import utc

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Context = Annotated[Web, Depends(web_of)]

ASSETS = {
    "style.css": "text/css",
    "replay.css": "text/css",
    "icon.svg": "image/svg+xml",
    **{
        f"{name}.js": "text/javascript"
        for name in (
            "replay",
            "keys",
            "peaks",
            "draw",
            "comments",
            "words",
            "axis",
            "lanes",
            "markers",
            "player",
            "transcript",
            "review",
            "live",
            "list",
            "format",
            "handoff",
        )
    },
}


@router.get("/")
def calls(request: Request, web: Context) -> HTMLResponse:
    query = _query(request)
    page = search.find(web.index, query)
    chosen = {k: v for k, v in request.query_params.items() if k != "cursor" and v}
    older = f"/?{urlencode({**chosen, 'cursor': page.next})}" if page.next else ""
    return rendering.render(
        request,
        "calls.html",
        page=page,
        chosen=dict.fromkeys(_FILTERS, "") | chosen,
        filtered=bool(chosen),
        older=older,
        endings=ENDINGS,
        levels=(*reversed(LEVELS), "unknown"),
        outcomes=(*OUTCOMES, "none"),
    )


_FILTERS = ("q", "level", "ending", "outcome", "reviewed", "disagreement", "reviewer", "since", "until")
_FLAGS = {"true": True, "false": False}


def _query(request: Request) -> search.Query:
    """Filters of the address; what makes no sense there is no filter."""

    def text(name: str) -> str:
        return request.query_params.get(name, "").strip()[:200]

    return search.Query(
        words=text("q"),
        ending=text("ending"),
        level=text("level"),
        outcome=text("outcome"),
        reviewer=text("reviewer"),
        since=_moment(text("since")),
        until=_moment(text("until"), whole_day=True),
        live=_FLAGS.get(text("live")),
        broken=_FLAGS.get(text("broken")),
        reviewed=_FLAGS.get(text("reviewed")),
        disagreement=_FLAGS.get(text("disagreement")),
        cursor=text("cursor"),
    )


def _moment(given: str, *, whole_day: bool = False) -> str:
    """A day (UTC) or a time as RFC 3339. ``whole_day``: up to the end of a day. What is neither is no filter."""
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        return ""
    if len(given) == len("2026-11-24") and whole_day:
        at += timedelta(days=1)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return utc(at.isoformat())


@router.get("/calls/{call_id}")
def replay(request: Request, web: Context, call_id: str) -> HTMLResponse:
    call = open_call(web.settings.store.dir, call_id)
    viewer, known = viewer_of(request), forms.load(web.settings.store.dir)
    form = forms.newest(known.values())
    return rendering.render(
        request,
        "call.html",
        **replay_context(call),
        form=form,
        texts=forms.texts(known.values()),
        # those that an answer may open are sent too, and hidden until it is given
        questions=forms.asked(form, dict.fromkeys((q.key for q in form.questions), forms.WORST), about(call)),
        reviews=shown(web, call_id, viewer),
        may_review=viewer.may("review"),
        emotions=reviews.EMOTIONS,
        outcome=outcomes.of_call(web.index, call_id),
        static=False,
    )


@router.get("/calls/{call_id}/table")
def table(request: Request, web: Context, call_id: str) -> HTMLResponse:
    """The time axis as tables: the same for those who don't see it drawn."""
    call = open_call(web.settings.store.dir, call_id)
    measured = {(f["start"], f["end"]): f for f in call.of("ProsodyMeasured")}
    scored = [(f, measured.get((f["start"], f["end"]), {})) for f in call.of("EmotionScored")]
    timed = [f for f in call.of("TurnTimed") if isinstance(f["stages_ms"], dict)]
    return rendering.render(
        request,
        "table.html",
        call=call,
        markers=timeline.markers(call),
        levels=timeline.level_bands(call),
        states=timeline.state_bands(call),
        turns=views.turns(call),
        speakers=views.SPEAKERS,
        scored=scored,
        timed=timed,
        stages=list(dict.fromkeys(stage for f in timed for stage in f["stages_ms"])),
    )


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    if name not in ASSETS:
        raise Problem(404, "there is no such file")
    body, tag = _asset(name)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=ASSETS[name], headers=headers)


@cache
def _asset(name: str) -> tuple[bytes, str]:
    body = rendering.asset(name)
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@router.get("/favicon.ico")
def favicon() -> Response:
    return RedirectResponse("/static/icon.svg", 308)
