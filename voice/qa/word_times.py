"""When the words of a call were said, measured on its recording when somebody looks: words light up as they sound.

The recogniser's own times are shares of the turn's length. They stay what the record says; these are for the eye.

Hears from: the replay page. Tells: the same.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile as sf
from fastapi import APIRouter, Depends, Query, Request

from voice.engines.errors import EngineMissing
from voice.errors import EngineError
from voice.qa.context import Web, web_of
from voice.qa.views import Turn, turns
from voice.store.calls import CallRecord, Json, open_call

router = APIRouter(prefix="/api/calls/{call_id}")

Context = Annotated[Web, Depends(web_of)]
LONGEST_S = 90.0
"""Of call time one request measures at most: about 2 s of work."""
AROUND_S = 0.3
KEPT = 5000
"""Turns whose times are remembered: times only, no word of any caller."""

Times = tuple[tuple[float, float], ...]


def _yield_to_all() -> None:
    # on Linux a thread has a priority of its own
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


class _Measured:
    """Times by call and turn; one thread that gives way to everything else, calls above all."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Path, int], Times | None] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "word-times", initializer=_yield_to_all)

    async def of(self, call: CallRecord, turn: Turn) -> Times | None:
        key = (call.folder, turn.seq)
        if key not in self._kept:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, _measure, call, turn)
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


_measured = _Measured()


@router.get("/words")
async def words(
    request: Request,
    web: Context,
    call_id: str,
    start: float = Query(0, ge=0, description="call time [s]"),
    end: float = Query(0, ge=0, description="call time [s]; at most 90 s after start"),
) -> dict[str, Any]:
    """Start and end [s] of each word of the turns that begin in a span, in order; a turn that can't be measured lacks.

    ``seq`` names the fact (`Transcribed`, `Said`) whose text the words are, split at blanks.
    """
    call = await asyncio.to_thread(open_call, web.settings.store.dir, call_id)
    end = min(end, start + LONGEST_S)
    found = []
    for turn in turns(call):
        if not (start <= turn.start < end and turn.words):
            continue
        # whoever has gone on to another page needs no more of them
        if await request.is_disconnected():
            break
        if times := await _measured.of(call, turn):
            found.append({"seq": turn.seq, "words": times})
    return {"start": start, "end": end, "turns": found}


def measured(call: CallRecord) -> list[Json]:
    """All turns of a call at once, for a page that has no server to ask."""
    found = ((t, _measure(call, t)) for t in turns(call) if t.words)
    return [{"seq": t.seq, "words": times} for t, times in found if times]


def _measure(call: CallRecord, turn: Turn) -> Times | None:
    from voice.engines.word_times import RATE_HZ, word_times

    source = _source(call, turn)
    if source is None:
        return None
    path, channel = source
    try:
        with sf.SoundFile(path) as f:
            if f.samplerate != RATE_HZ:
                return None
            first = max(0, round((turn.start - AROUND_S) * RATE_HZ))
            f.seek(min(first, f.frames))
            samples = f.read(round((turn.end + AROUND_S) * RATE_HZ) - first, dtype="float32", always_2d=True)
        spans = word_times(np.ascontiguousarray(samples[:, channel]), [w for *_, w in turn.words])
    except (sf.LibsndfileError, EngineMissing, EngineError):
        return None
    offset = first / RATE_HZ
    return tuple((round(offset + a, 3), round(offset + b, 3)) for a, b in spans) if spans else None


def _source(call: CallRecord, turn: Turn) -> tuple[Path, int] | None:
    """Where a turn is heard alone: what its speaker sent, or what was sent to the human."""
    leg, channel = ("human", 1) if turn.who == "agent" and turn.private else (turn.who, 0)
    path = call.audio(leg)
    return (path, channel) if path else None
