"""Signing in and out, and who did what: the audit log.

Hears from: browsers. Tells: `voice.qa.access`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from voice.qa import rendering
from voice.qa.access import COOKIE, SESSION_S, client_of
from voice.qa.context import Web, web_of
from voice.qa.problems import Problem
from voice.store import schema

router = APIRouter()

Context = Annotated[Web, Depends(web_of)]
BODY_MAX = 4096
LINES = 500


@router.get("/login", include_in_schema=False)
def login(request: Request, web: Context) -> HTMLResponse:
    return _form(request, web)


def _form(request: Request, web: Web, *, wrong: bool = False) -> HTMLResponse:
    status = 403 if wrong else 200
    return rendering.render(request, "login.html", wrong=wrong, users=bool(web.gate.users), status_code=status)


@router.post("/login", include_in_schema=False)
async def sign_in(request: Request, web: Context) -> Response:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise Problem(413, "a sign-in form is smaller than this")
    given = {k: v[0] for k, v in parse_qs(body.decode("utf-8", "replace")).items()}
    name, client, now_s = given.get("name", "").strip(), client_of(request), time.monotonic()
    if name:
        # scrypt takes its 50 ms outside the loop that serves everybody else
        admitted = await asyncio.to_thread(web.gate.admits_user, name, given.get("password", ""), client, now_s)
    else:
        admitted = web.gate.admits(given.get("token", ""), client, now_s)
    if not admitted:
        return _form(request, web, wrong=True)
    await asyncio.to_thread(web.index.note, "signed in", "", actor=name or "web")
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE,
        web.gate.session(time.time(), name),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout", include_in_schema=False)
def sign_out() -> Response:
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/api/audit")
def audit_json(
    web: Context,
    call: str = Query("", max_length=128),
    actor: str = Query("", max_length=80),
    limit: int = Query(LINES, ge=1, le=LINES),
    before: int = Query(0, ge=0, description="only lines with a smaller id; 0 = from the newest"),
) -> list[dict[str, Any]]:
    """Who played, exported, erased or signed in, newest first."""
    a = schema.audit.c
    query = sa.select(schema.audit).order_by(a.id.desc()).limit(limit)
    for wanted, condition in ((call, a.call_id == call), (actor, a.actor == actor), (before, a.id < before)):
        if wanted:
            query = query.where(condition)
    with web.index.engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


@router.get("/audit", include_in_schema=False)
def audit_page(request: Request, web: Context) -> HTMLResponse:
    call, actor = (request.query_params.get(k, "")[:128] for k in ("call", "actor"))
    lines = audit_json(web, call, actor, LINES, 0)
    return rendering.render(request, "audit.html", lines=lines, call=call, actor=actor)
