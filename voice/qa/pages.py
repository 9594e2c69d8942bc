"""The pages people see: calls, replay, its table, sign-in; and the files these load.

Hears from: browsers. Tells: browsers.
"""

from __future__ import annotations

import hashlib
import time
from functools import cache
from typing import Annotated
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from telephony.messages import ENDINGS, LEVELS, OUTCOMES
from voice.qa import rendering, views
from voice.qa.access import COOKIE, SESSION_S, client_of
from voice.qa.context import Web, web_of
from voice.qa.context_of_call import replay_context
from voice.qa.problems import Problem
from voice.store import reviews, search, timeline
from voice.store.calls import open_call

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
BODY_MAX = 4096


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


_FILTERS = ("q", "level", "ending", "outcome", "reviewed", "disagreement")
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
        since=text("since"),
        until=text("until"),
        live=_FLAGS.get(text("live")),
        broken=_FLAGS.get(text("broken")),
        reviewed=_FLAGS.get(text("reviewed")),
        disagreement=_FLAGS.get(text("disagreement")),
        cursor=text("cursor"),
    )


@router.get("/calls/{call_id}")
def replay(request: Request, web: Context, call_id: str) -> HTMLResponse:
    call = open_call(web.settings.store.dir, call_id)
    return rendering.render(
        request, "call.html", **replay_context(call), reviews=reviews.of_call(web.index, call_id), static=False
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


@router.get("/login")
def login(request: Request) -> HTMLResponse:
    return rendering.render(request, "login.html", wrong=False)


@router.post("/login")
async def sign_in(request: Request, web: Context) -> Response:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise Problem(413, "a sign-in form is smaller than this")
    given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
    if not web.gate.admits(given, client_of(request), time.monotonic()):
        return rendering.render(request, "login.html", wrong=True, status_code=403)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE,
        web.gate.session(time.time()),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
def sign_out() -> Response:
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


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
