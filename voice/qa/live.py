"""``/api/live``: facts of live calls as server-sent events, while they are committed.

Each event is ``fact`` with ``{"call": id, "seq", "t", "fact", …}``. A listener first gets what was committed so far.

Hears from: `voice.qa.tail`. Tells: browsers and wallboards.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from voice.qa.context import Web, web_of
from voice.qa.tail import Tail
from voice.store.calls import Json

router = APIRouter()

HEARTBEAT_S = 15.0
"""Shorter than the 30 to 60 s after which proxies close a silent connection."""


@router.get("/api/live", response_class=StreamingResponse)
async def live(web: Annotated[Web, Depends(web_of)], call: str = "") -> StreamingResponse:
    """Facts of live calls, or of one of them."""
    return StreamingResponse(events(web.tail, call), media_type="text/event-stream")


async def events(tail: Tail, only: str = "") -> AsyncIterator[bytes]:
    queue = tail.listen()
    try:
        yield b"retry: 1000\n\n"
        seen: dict[str, int] = {}
        for name, facts in tail.live().items():
            for fact in facts:
                seen[name] = fact["seq"]
                if not only or name == only:
                    yield event(name, fact)
        while True:
            try:
                item = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if item is None:
                return
            name, fact = item
            if (not only or name == only) and fact["seq"] > seen.get(name, -1):
                yield event(name, fact)
    finally:
        tail.leave(queue)


def event(name: str, fact: Json) -> bytes:
    """One event. ``json.dumps`` escapes line breaks, so no text can end the event and begin another."""
    return f"event: fact\nid: {name}:{fact['seq']}\ndata: {json.dumps({'call': name, **fact})}\n\n".encode()
