"""``/handoff/{ref}``: the human's context page, its captions and its buttons; and who is there to be rung.

The address is signed and for one INVITE; it ends with the attempt, at the latest with the call. The buttons do what the
telephone's keys do: the order goes to the gateway over the link (`telephony.control`), never through the store.

Hears from: the human's browser, desk programs. Tells: the gateway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict

from telephony.context_page import call_of, is_signed, load_key
from telephony.control import ask
from voice.qa import rendering
from voice.qa.context import Web, web_of
from voice.qa.handoff_view import ACCEPT, is_over, line_of, page_of
from voice.qa.live import HEARTBEAT_S
from voice.qa.problems import Problem
from voice.store.calls import CallRecord, Json, NoSuchCall, open_call

router = APIRouter()

Context = Annotated[Web, Depends(web_of)]


class Availability(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Literal["available", "away"]


def has_signature(request: Request) -> bool:
    """A request that carries a good signature needs no token: the human may have no account here."""
    # The path that is routed by: an escaped "?" would cut request.url short.
    parts = str(request.scope["path"]).strip("/").split("/")
    ref = parts[1] if parts[0] == "handoff" and len(parts) == 2 else ""
    if parts[:2] == ["api", "handoffs"] and len(parts) == 4:
        ref = parts[2]
    query = request.query_params
    if not ref or "s" not in query:
        return False
    web: Web = request.app.state.web
    return is_signed(load_key(web.settings.store.dir), ref, query.get("attempt", ""), query["s"])


def _attempt(request: Request) -> int | None:
    """Of the signed address; None: another way in (token, or this machine itself)."""
    if has_signature(request):
        return int(request.query_params["attempt"])
    if "s" in request.query_params:
        raise Problem(403, "this address is not whole; take it from the telephone call again")
    return None


def _open(request: Request, web: Web, ref: str) -> CallRecord:
    """The live call of a signed address.

    Raises:
        Problem: 403 no signature, 410 over.
    """
    attempt = _attempt(request)
    if attempt is None:
        raise Problem(403, "this page opens only with the signed address that comes with the telephone call")
    try:
        call = open_call(web.settings.store.dir, call_of(web.settings.store.dir, ref))
    except NoSuchCall:
        raise Problem(410, "this call is over; its page is gone") from None
    if not call.live or is_over(call.facts, attempt):
        raise Problem(410, "this call is over for you; its page is gone")
    return call


@router.get("/handoff/{ref}", response_class=HTMLResponse, include_in_schema=False)
def context_page(request: Request, web: Context, ref: str) -> HTMLResponse:
    call = _open(request, web, ref)
    query = urlencode({k: request.query_params[k] for k in ("attempt", "s")})
    page = page_of(call)
    return rendering.render(
        request, "handoff.html", page=page, accept=ACCEPT.get(page.state, ""), ref=ref, query=query, labels=ACCEPT
    )


@router.get("/api/handoffs/{ref}/events", response_class=StreamingResponse)
async def captions(request: Request, web: Context, ref: str) -> StreamingResponse:
    """Server-sent events of one handoff: ``line`` (caller's and agent's words) and ``state``; ends with the bridge."""
    call = await asyncio.to_thread(_open, request, web, ref)
    attempt = int(request.query_params["attempt"])
    return StreamingResponse(follow(web, call.call_id, attempt), media_type="text/event-stream")


async def follow(web: Web, call_id: str, attempt: int) -> AsyncIterator[bytes]:
    """Until the legs are joined, the attempt is over, or the call is."""
    queue = web.tail.listen()
    try:
        yield b"retry: 1000\n\n"
        # Listened first, then read: what is committed in between comes twice and is told once.
        facts = (await asyncio.to_thread(open_call, web.settings.store.dir, call_id)).facts
        for f in facts:
            yield _event(f)
        while not _done(facts, attempt):
            try:
                item = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if item is None:
                return
            name, fact = item
            if name == call_id and fact["seq"] > facts[-1]["seq"]:
                facts.append(fact)
                yield _event(fact)
    finally:
        web.tail.leave(queue)


def _done(facts: list[Json], attempt: int) -> bool:
    return any(f["fact"] == "LegsBridged" for f in facts) or is_over(facts, attempt)


def _event(f: Json) -> bytes:
    line = line_of(f)
    if line is not None:
        kind, data = "line", asdict(line)
    elif f["fact"] == "HandoffState":
        kind, data = (
            "state",
            {"state": f["state"], "outcome": f.get("outcome", ""), "accept": ACCEPT.get(f["state"], "")},
        )
    elif f["fact"] == "BriefingBuilt":
        kind, data = "briefing", {"text": f["text"]}
    else:
        return b""
    return f"event: {kind}\nid: {f['seq']}\ndata: {json.dumps(data)}\n\n".encode()


@router.post("/api/handoffs/{ref}/{do}", response_model=None)
async def decide(
    request: Request, web: Context, ref: str, do: Literal["accept", "decline"]
) -> Response | dict[str, Any]:
    """The button is the key: ``accept`` = 1 (first hear the summary, then take the caller), ``decline`` = 2."""
    attempt = _attempt(request)
    order: dict[str, Any] = {"do": do, "ref": ref} | ({} if attempt is None else {"attempt": attempt})
    answer = await _ask(web, order)
    if "text/html" in request.headers.get("accept", "") and attempt is not None:
        return RedirectResponse(f"/handoff/{ref}?{urlencode(request.query_params)}", 303)
    return answer


@router.put("/api/humans/{name}/availability")
async def set_availability(web: Context, name: str, wanted: Availability) -> dict[str, Any]:
    """``away``: this human is not rung until ``available`` again, also over a restart of the gateway."""
    return await _ask(web, {"do": "availability", "name": name, "state": wanted.state})


@router.get("/api/humans")
async def humans(web: Context) -> dict[str, Any]:
    """Every configured human and whether they are there."""
    return await _ask(web, {"do": "humans"})


async def _ask(web: Web, order: dict[str, Any]) -> dict[str, Any]:
    answer = await ask(web.settings.worker.link, load_key(web.settings.store.dir), order)
    status = int(answer.pop("status", 503))
    if status >= 400:
        raise Problem(status, str(answer.get("detail", "")))
    return answer
