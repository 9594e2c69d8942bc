"""Errors as RFC 9457 problem documents; for a person's browser, the same as a page.

Hears from: every route. Tells: the client.
"""

from __future__ import annotations

import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from voice.qa.rendering import render
from voice.store.calls import NoSuchCall
from voice.store.retention import StillLive
from voice.store.search import BadCursor

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(HTTPException):
    """An error to tell the client. ``detail``: one sentence, without what a caller said."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        super().__init__(status, detail, names or None)


def document(status: int, detail: str, path: str, **more: Any) -> dict[str, Any]:
    """RFC 9457 §3.1: "about:blank" = the title says no more than the status code."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": path, **more}


def respond(request: Request, status: int, detail: str, headers: Any = None, **more: Any) -> Response:
    path = request.url.path
    body = document(status, detail, path, **more)
    wants_page = "text/html" in request.headers.get("accept", "") and not path.startswith("/api/")
    if wants_page:
        page = render(request, "problem.html", problem=body, status_code=status)
        page.headers.update(headers or {})
        return page
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Handlers for everything a route can raise."""

    @app.exception_handler(HTTPException)
    async def _http(request: Request, exc: HTTPException) -> Response:
        return respond(request, exc.status_code, str(exc.detail), exc.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, exc: RequestValidationError) -> Response:
        errors = [{"at": "/".join(map(str, e["loc"])), "says": e["msg"]} for e in exc.errors()[:10]]
        return respond(request, 422, f"{errors[0]['at']}: {errors[0]['says']}", errors=errors)

    @app.exception_handler(NoSuchCall)
    async def _no_call(request: Request, exc: NoSuchCall) -> Response:
        return respond(request, 404, "there is no such call in this store")

    @app.exception_handler(StillLive)
    async def _live(request: Request, exc: StillLive) -> Response:
        return respond(request, 409, "this call has not ended; try again when it has")

    @app.exception_handler(BadCursor)
    async def _cursor(request: Request, exc: BadCursor) -> Response:
        return respond(request, 400, "cursor: take it from the `next` of the page before")


def bug(request: Request, exc: Exception) -> Response:
    """Answer to what no handler expected. Text and variables of an exception may hold a caller's words: only its
    kind and place are logged, and nothing of it is sent.
    """
    frames = traceback.extract_tb(exc.__traceback__)[-3:]
    log.error("request failed", error=type(exc).__name__, at=[f"{Path(f.filename).name}:{f.lineno}" for f in frames])
    return respond(request, 500, "this request failed; the server's log says where")
