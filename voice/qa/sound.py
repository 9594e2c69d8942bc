"""Recordings by byte range, and their peaks.

Hears from: the player. Tells: `voice.store.peaks`.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import soundfile as sf
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from voice.qa.context import Web, viewer_of, web_of
from voice.qa.problems import Problem
from voice.store import peaks
from voice.store.calls import LEGS, CallRecord, audio_of, folder_of, open_call

router = APIRouter(prefix="/api/calls/{call_id}")

Context = Annotated[Web, Depends(web_of)]
MAX_POINTS = 20_000


@router.get("/audio/{leg}", response_class=FileResponse)
@router.head("/audio/{leg}", include_in_schema=False)
def audio(web: Context, request: Request, call_id: str, leg: str) -> Response:
    """A leg's FLAC. caller and human: channel 0 = received from that party, 1 = sent to it. agent: mono."""
    path = audio_of(folder_of(web.settings.store.dir, call_id), leg)
    if path is None:
        raise _missing(open_call(web.settings.store.dir, call_id), leg)
    who, first_byte = viewer_of(request).name, request.headers.get("range", "bytes=0-").startswith("bytes=0-")
    if request.method == "GET" and web.playing.begins(who, call_id, leg, time.monotonic(), first_byte=first_byte):
        web.index.note("played", call_id, actor=who, detail=leg)
    return FileResponse(path, media_type="audio/flac", headers={"Cache-Control": "private, max-age=0"})


@router.get("/peaks/{leg}")
def peaks_of(
    web: Context,
    call_id: str,
    leg: str,
    start: float = Query(0, ge=0, description="call time [s]"),
    end: float = Query(0, ge=0, description="call time [s]; 0 = the end"),
    points: int = Query(2000, ge=1, le=MAX_POINTS),
) -> dict[str, Any]:
    """Peaks of a span in at most ``points`` points, as audiowaveform JSON (version 2, 8 bits)."""
    try:
        base = peaks.base_peaks(web.settings.store.dir, call_id, leg)
    except sf.LibsndfileError as exc:
        raise Problem(422, f"the recording of leg {leg!r} can't be decoded; run `warmline verify`") from exc
    if base is None:
        raise _missing(open_call(web.settings.store.dir, call_id), leg)
    return peaks.to_json(*base, start, end, points)


def _missing(call: CallRecord, leg: str) -> Problem:
    if leg not in LEGS:
        return Problem(404, f"there is no leg {leg!r}; legs are {', '.join(LEGS)}")
    if call.live:
        return Problem(409, "the call has not ended; its sound is finished when it has")
    return Problem(404, f"this call has no recording of its {leg}")
